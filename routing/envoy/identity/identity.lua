-- Makes one identity of a unit that may be written in several ways. A plain one never comes here.
--
-- Text is UTF-8: bytes that are none are Latin-1, as HTTP once had it. Blanks at the ends do not count. A whole number
-- is its digits where all of them are known. What cannot be told apart from others is no unit, and the log says why.

local find, match, byte, char, floor = string.find, string.match, string.byte, string.char, math.floor

local LONGEST_UNIT = 1000
-- Above this a double stands for several whole numbers.
local LARGEST_EXACT = 2 ^ 53
-- No unit holds this character; Envoy would cut a text at a zero.
local NO_UNIT = "\127"

-- The bytes that may follow the first one of a character, by RFC 3629.
local function is_utf8(text)
  local at = 1
  while at <= #text do
    local first = byte(text, at)
    local pattern
    if first < 0x80 then pattern = "^."
    elseif first >= 0xC2 and first <= 0xDF then pattern = "^.[\128-\191]"
    elseif first == 0xE0 then pattern = "^.[\160-\191][\128-\191]"
    elseif first == 0xED then pattern = "^.[\128-\159][\128-\191]"
    elseif first >= 0xE1 and first <= 0xEF then pattern = "^.[\128-\191][\128-\191]"
    elseif first == 0xF0 then pattern = "^.[\144-\191][\128-\191][\128-\191]"
    elseif first == 0xF4 then pattern = "^.[\128-\143][\128-\191][\128-\191]"
    elseif first >= 0xF1 and first <= 0xF3 then pattern = "^.[\128-\191][\128-\191][\128-\191]"
    end
    local _, stop = nil, nil
    if pattern then _, stop = find(text, pattern, at) end
    if not stop then return false end
    at = stop + 1
  end
  return true
end

local function from_latin1(text)
  return (text:gsub("[\128-\255]", function(one)
    local code = byte(one)
    return char(0xC0 + floor(code / 64), 0x80 + code % 64)
  end))
end

local function of_text(text)
  if not is_utf8(text) then text = from_latin1(text) end
  text = match(text, "^[ \t\r\n\v\f]*(.-)[ \t\r\n\v\f]*$")
  if text == "" then return nil, "absent" end
  if find(text, "[%z\1-\31\127]") then return nil, "control-characters" end
  if #text > LONGEST_UNIT then return nil, "too-long" end
  return text
end

-- `digits` is how Envoy wrote a number, all of them up to 64 bits; nil where it only kept a double.
local function of_number(number, digits)
  if digits and find(digits, "^-?%d+$") then return digits end
  if not digits and number == floor(number) and math.abs(number) < LARGEST_EXACT then
    return string.format("%d", number)
  end
  return nil, "inexact-number"
end

local function of_value(value, digits)
  if type(value) == "string" then return of_text(value) end
  if type(value) == "number" then return of_number(value, digits) end
  return nil, "not-text"
end

local function field(handle, namespace, path)
  local value = handle:streamInfo():dynamicMetadata():get(namespace)
  for step in path:gmatch("[^\31]+") do
    if type(value) ~= "table" then return nil end
    value = value[step]
  end
  return value
end

function envoy_on_request(handle)
  local place = handle:metadata()
  local value, digits
  if place:get("header") then
    value = handle:headers():get(place:get("header"))
  else
    value = field(handle, place:get("namespace"), place:get("path"))
    digits = place:get("digits") and field(handle, place:get("namespace"), place:get("digits"))
  end
  if value == nil then return end
  local unit, problem = of_value(value, digits)
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set("sluice.fields", "unit", unit or NO_UNIT)
  if problem then metadata:set("sluice", "without_unit", problem) end
end
