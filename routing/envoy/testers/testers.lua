-- Lets testers force a variant and be explained to: by a key for tests, or by the network that they call from.
-- Whoever asks for neither never comes here.

local LONGEST_KEY = 512

-- A text of address as numbers of 16 bits each; the last two of IPv6 may be written as IPv4.
local function numbers_of(text)
  local numbers = {}
  for part in text:gmatch("[^:]+") do
    local a, b, c, d = part:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
    if a then
      numbers[#numbers + 1], numbers[#numbers + 2] = a * 256 + b, c * 256 + d
    else
      numbers[#numbers + 1] = tonumber(part, 16)
    end
  end
  return numbers
end

local function filled(front, back)
  local numbers = numbers_of(front)
  local last = numbers_of(back)
  while #numbers + #last < 8 do numbers[#numbers + 1] = 0 end
  for _, number in ipairs(last) do numbers[#numbers + 1] = number end
  return numbers
end

local function bits_of(numbers)
  local bits = {}
  for _, number in ipairs(numbers) do
    for place = 15, 0, -1 do bits[#bits + 1] = math.floor(number / 2 ^ place) % 2 end
  end
  return table.concat(bits)
end

-- An address with its port, as Envoy writes it, in the form that networks have: the version and its bits.
local function written_as_network(address)
  local long = address:match("^%[([%x:.]+)")
  if not long then return "4" .. bits_of(numbers_of(address:match("^[%d.]+") or "")) end
  local front, back = long:match("^(.-)::(.*)$")
  return "6" .. bits_of(front and filled(front, back) or numbers_of(long))
end

local function calls_from(networks, address)
  if #networks == 0 then return false end
  local found = written_as_network(address)
  for _, network in ipairs(networks) do
    if found:sub(1, #network) == network then return true end
  end
  return false
end

local function has_key(key, digests)
  return key ~= nil and #key <= LONGEST_KEY and next(digests) ~= nil and digests[sha256(key)] ~= nil
end

function envoy_on_request(handle)
  local testers = handle:metadata()
  if testers:get("digests") == nil then return end
  local headers = handle:headers()
  if has_key(headers:get("x-sluice-key"), testers:get("digests")) then return end
  if calls_from(testers:get("networks"), handle:streamInfo():downstreamDirectRemoteAddress()) then return end
  headers:remove("x-sluice-explain")
  if headers:get("x-sluice-variant") == nil then return end
  handle:streamInfo():dynamicMetadata():set("sluice.fields", "refused", "variant-refused")
  handle:respond({[":status"] = "403"}, "variant-refused")
end
