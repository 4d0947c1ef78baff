-- What is asked -----------------------------------------------------------------------------------------------------
--
-- Whether requests ask for a stream, which no header tells.

local LONGEST_REQUEST = 1048576

-- Whether a request was read whose answer has not come: no other answer is looked at for what was asked.
local is_awaited = false

local REQUEST = {}
place(REQUEST, "stream").count = "stream"

-- What nobody knows of is not told: what a server makes of another value, or of what is no JSON.
local function tell_asked(handle, walk)
  local asked = walk.found.counts.stream or "false"
  if not is_over(walk) or (asked ~= "true" and asked ~= "false") then return end
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set("sluice", "asked", asked == "true")
  metadata:set("sluice.asked", "stream", asked == "true")
  is_awaited = true
end

function envoy_on_request(handle)
  -- The paths of TGI and Triton say it themselves.
  if not is_read() or find(handle:headers():get(":path"), "/generate", 1, true) then return end
  local walk, left = new_walk(REQUEST), LONGEST_REQUEST
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    left = left - length
    if length > 0 and left >= 0 then
      local text = without_mark(walk, chunk:getBytes(0, length))
      go(walk, text, 1, #text)
    end
  end
  if left >= 0 then tell_asked(handle, walk) end
  end_walk(walk)
end

local function compare(handle)
  local asked = handle:streamInfo():dynamicMetadata():get("sluice.asked")
  if not asked then return end
  is_awaited = false
  local headers = handle:headers()
  if sub(headers:get(":status"), 1, 1) ~= "2" then return end
  local is_stream = find((headers:get("content-type") or ""):lower(), "text/event-stream", 1, true) ~= nil
  if is_stream ~= asked.stream then begin_to_read_all() end
end

function envoy_on_response(handle)
  if is_awaited then compare(handle) end
  read_answer(handle)
end
