local MARK = "\239\187\191"
local EVERY_FORM = -1
-- A comment has no name before its colon.
local FIELDS = {[""] = true, data = true, event = true, id = true, retry = true}

-- Streams -----------------------------------------------------------------------------------------------------------

-- Without the mark of its order of bytes, in whatever pieces it comes, as clients leave it out.
local function without_mark(walk, text)
  if walk.begun then return text end
  if walk.head ~= "" then text = walk.head .. text end
  if #text < #MARK and sub(MARK, 1, #text) == text then
    walk.head = text
    return ""
  end
  walk.begun = true
  return sub(text, 1, #MARK) == MARK and sub(text, #MARK + 1) or text
end

local function add(words, count, name, value)
  words[count + 1], words[count + 2] = name, value
  return count + 2
end

-- Names and values, a line each: Envoy takes and logs one text at a part of what a table costs.
local WORDS = {}
local function words_of(found, whole, odd)
  local count = 0
  if whole then count = add(WORDS, count, "whole", "true") end
  if odd then count = add(WORDS, count, "odd", odd) end
  if found.error then count = add(WORDS, count, "error", "true") end
  if found.holds ~= "" then count = add(WORDS, count, "holds", found.holds) end
  if found.ends ~= "" then count = add(WORDS, count, "ends", found.ends) end
  if is_cut(found) then count = add(WORDS, count, "cut", "true") end
  if found.refused then count = add(WORDS, count, "refused", "true") end
  if found.stop then count = add(WORDS, count, "stop", found.stop) end
  for name, value in pairs(found.counts) do count = add(WORDS, count, name, value) end
  return concat(WORDS, "\n", 1, count)
end

local function tell(handle, found, whole, odd)
  handle:streamInfo():dynamicMetadata():set("sluice", "answer", words_of(found, whole, odd))
end

-- The forms of which some event was none.
local function odd_of(stream)
  if stream.fits == EVERY_FORM then return nil end
  local odd = {}
  for at, form in ipairs(stream.forms) do
    if band(stream.fits, lshift(1, at)) == 0 then odd[#odd + 1] = form end
  end
  return concat(odd, " ")
end

local function tell_stream(handle, stream) tell(handle, stream.found, not stream.broken, odd_of(stream)) end

-- An event is over: what it held is a whole document, or nothing.
local function end_event(stream)
  local walk = stream.walk
  if has_begun(walk) then
    if not is_over(walk) then stream.broken = true end
    stream.fits = band(stream.fits, walk.form)
    begin_again(walk)
  end
  stream.ended_by = stream.found.ends
end

-- Whether a line is one of a stream of events: a comment, nothing but blanks, or what its field is called.
local function is_line(text, at, last)
  local line = sub(text, at, last)
  return FIELDS[match(line, "^[^:]*")] or not find(line, "%S")
end

-- A line that has ended, or the beginning of one of data: `at` to `last`.
local function take_line(stream, text, at, last)
  if last < at then return end_event(stream) end
  local letter = byte(text, at)
  if letter == 100 and sub(text, at, at + 4) == "data:" then
    local from = byte(text, at + 5) == 32 and at + 6 or at + 5
    if byte(text, from) == 91 and not has_begun(stream.walk) and match(sub(text, from, last), "^(.-)%s*$") == DONE then
      stream.done = true
      end_by(stream.found, DONE)
      stream.ended_by = stream.found.ends
    else
      -- Lines of one event are lines of one document.
      if has_begun(stream.walk) then go(stream.walk, "\n", 1, 1) end
      go(stream.walk, text, from, last)
    end
  elseif letter == 101 then
    local name = match(sub(text, at, last), "^event: ?(.*)$")
    -- As older servers of llama.cpp tell of one.
    if find(text, "^error:", at) or (name and name:lower() == "error") then name = "error" end
    local mark = name and stream.ends[name]
    if mark then end_by(stream.found, mark) end
    if not name then stream.broken = stream.broken or not is_line(text, at, last) end
  elseif letter == 123 and find(text, '^{%s*"error"%s*:%s*[^n%s]', at) then
    -- A document that stands in a stream by itself: no event, and its client sees nothing more.
    end_by(stream.found, "error")
  elseif not is_line(text, at, last) then
    stream.broken = true
  end
end

-- Where a line goes on behind this piece: data is walked already, the rest is kept.
local function take_beginning(stream, text, at)
  local last = #text
  if sub(text, at, at + 4) == "data:" and last - at > LONGEST then
    take_line(stream, text, at, last)
    stream.in_data = true
  elseif last - at <= LONGEST then
    stream.line = sub(text, at)
  else
    if not is_line(text, at, last) then stream.broken = true end
    stream.skips = true
  end
end

-- Carriage returns end lines too.
local function lines_of(stream, text)
  if stream.returned and byte(text, 1) == 10 then text = sub(text, 2) end
  stream.returned = byte(text, #text) == 13
  if not find(text, "\r", 1, true) then return text end
  return (text:gsub("\r\n", "\n"):gsub("\r", "\n"))
end

local function take_piece(stream, text)
  local at = 1
  if stream.in_data or stream.skips then
    local stop = find(text, "\n", 1, true)
    if stream.in_data then go(stream.walk, text, 1, stop and stop - 1 or #text) end
    if not stop then return end
    stream.in_data, stream.skips, at = false, false, stop + 1
  elseif stream.line ~= "" then
    text, stream.line = stream.line .. text, ""
  end
  while at <= #text and not stream.done do
    local stop = find(text, "\n", at, true)
    if not stop then return take_beginning(stream, text, at) end
    take_line(stream, text, at, stop - 1)
    at = stop + 1
  end
end

local function read_stream(handle, wanted)
  local walk = new_walk(wanted.streamed)
  local found, told = walk.found, ""
  local stream = {found = found, ends = wanted.ends, walk = walk, line = "", ended_by = told}
  stream.forms, stream.fits = wanted.forms, EVERY_FORM
  for chunk in handle:bodyChunks() do
    local length = chunk:length()
    if length > 0 and not stream.done then
      take_piece(stream, lines_of(stream, without_mark(walk, chunk:getBytes(0, length))))
      -- A client that has read the last event, or of an error, may leave before the body ends.
      local news = found.error and "error" or stream.ended_by
      if news ~= told then
        tell_stream(handle, stream)
        told = news
      end
    end
  end
  if not stream.done then take_piece(stream, "\n\n") end
  tell_stream(handle, stream)
  end_walk(walk)
end

-- Plain answers -----------------------------------------------------------------------------------------------------

-- The bytes behind the JSON are those that its tensors tell of.
local function compare_bytes(found, wanted, behind)
  if found.behind ~= behind then hold(found, wanted.tensors .. "!") end
end

-- `length` is that of the JSON, where something else comes behind it.
local function read_plain(handle, wanted, length)
  local walk, left, behind, told = new_walk(wanted.plain), length or math.huge, 0, false
  for chunk in handle:bodyChunks() do
    local size = math.min(chunk:length(), left)
    behind = behind + chunk:length() - size
    if size > 0 then
      local text = without_mark(walk, chunk:getBytes(0, size))
      go(walk, text, 1, #text)
      left = left - size
      if not told and not length and is_over(walk) then
        compare_bytes(walk.found, wanted, 0)
        -- A client that has read the document may leave before the body ends.
        tell(handle, walk.found, true)
        told = true
      end
    end
  end
  if length then compare_bytes(walk.found, wanted, behind) end
  if not told or not is_over(walk) then tell(handle, walk.found, is_over(walk)) end
  end_walk(walk)
  return walk.found
end

local function is_text(kind) return sub(kind, 1, 5) == "text/" or sub(kind, 1, 20) == "application/x-subrip" end

local function is_sound(kind) return sub(kind, 1, 6) == "audio/" or sub(kind, 1, 24) == "application/octet-stream" end

-- How long the JSON is where the tensors of the Open Inference Protocol stand in bytes behind it.
local function length_of_json(headers, wanted)
  return wanted.tensors ~= "" and tonumber(headers:get("inference-header-content-length") or "") or nil
end

-- What is found in a document is returned.
local function read_answer(handle)
  local headers = handle:headers()
  if sub(headers:get(":status"), 1, 1) ~= "2" then return end
  local kind = (headers:get("content-type") or "json"):lower()
  if is_call(kind) then return read_frames(handle, kind) end
  local encoding = headers:get("content-encoding")
  if encoding and encoding ~= "" and encoding:lower() ~= "identity" then return end
  local wanted = specification(handle:filterContext():get("answers"))
  if find(kind, "text/event-stream", 1, true) then return read_stream(handle, wanted) end
  local length = length_of_json(headers, wanted)
  if length or find(kind, "json", 1, true) then return read_plain(handle, wanted, length) end
  if wanted.has_texts and (is_text(kind) or is_sound(kind)) then read_text(handle, is_sound(kind)) end
end

function envoy_on_response(handle) read_answer(handle) end
