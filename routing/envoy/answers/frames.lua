-- Calls of gRPC -----------------------------------------------------------------------------------------------------
--
-- Messages are looked at as far as they say how long they are, and whether there is anything in one. What calls from
-- browsers have for trailers is a last message of its own kind.

local is_call, read_frames
do

local HEAD, LONGEST_TRAILERS = 5, 4096
local GRPC, GRPC_WEB, GRPC_WEB_TEXT = "application/grpc", "application/grpc-web", "application/grpc-web-text"
local LONGEST_BEGINNING, VARINT, LENGTH, WIDTHS = 1024, 0, 2, {[1] = 8, [5] = 4}
local PLAIN, COMPRESSED, TRAILERS = 0, 1, 128

function is_call(kind) return sub(kind, 1, #GRPC) == GRPC end

-- Where a number of several bytes ends, and what it is.
local function varint(text, at)
  local number, factor = 0, 1
  while true do
    local letter = byte(text, at)
    if not letter then return math.huge, 0 end
    number, at, factor = number + band(letter, 127) * factor, at + 1, factor * 128
    if letter < 128 then return at, number end
  end
end

-- The tags of a message's fields, by the encoding of Protocol Buffers, as far as they are in what is here of it.
local function take_tags(frames, text, length)
  local at, known = 1, not frames.compresses
  while known and at <= #text do
    local tag = byte(text, at)
    local wire = band(tag, 7)
    known = tag < 128 and (WIDTHS[wire] or wire == VARINT or wire == LENGTH) ~= nil
    frames.tags[tag] = true
    at = at + 1 + (WIDTHS[wire] or 0)
    if wire == VARINT then at = varint(text, at) end
    if wire == LENGTH then
      local behind, number = varint(text, at)
      at = behind + number
    end
  end
  if not known or at <= length then frames.has_more = true end
end

local function begin_message(frames, head)
  local flag, a, b, c, d = byte(head, 1, HEAD)
  frames.left, frames.head = ((a * 256 + b) * 256 + c) * 256 + d, ""
  frames.is_last = frames.is_web and flag >= TRAILERS
  if frames.is_last then return end
  if flag ~= PLAIN and not (flag == COMPRESSED and frames.compresses) then frames.broken = true end
  frames.has_message = true
  frames.has_content = frames.has_content or frames.left > 0
  frames.begins = frames.left > 0
end

-- From `at` on, as many bytes as belong together; where they end is returned.
local function take_bytes(frames, chunk, at, length)
  if frames.left == 0 then
    local step = math.min(HEAD - #frames.head, length - at)
    frames.head = frames.head .. chunk:getBytes(at, step)
    if #frames.head == HEAD then begin_message(frames, frames.head) end
    return at + step
  end
  local step = math.min(frames.left, length - at)
  if frames.begins then
    take_tags(frames, chunk:getBytes(at, math.min(step, LONGEST_BEGINNING)), frames.left)
    frames.begins = false
  elseif frames.is_last and #frames.trailers < LONGEST_TRAILERS then
    frames.trailers = frames.trailers .. chunk:getBytes(at, step)
  end
  frames.left = frames.left - step
  return at + step
end

local function words_of_frames(frames)
  local words, holds = {}, {}
  if frames.left == 0 and frames.head == "" and not frames.broken then words[1] = "whole\ntrue" end
  if frames.has_message then holds[1] = "message" end
  if frames.has_content then holds[#holds + 1] = "content" end
  if frames.has_more then holds[#holds + 1] = "more" end
  for tag in pairs(frames.tags) do holds[#holds + 1] = "tag=" .. tag end
  if #holds > 0 then words[#words + 1] = "holds\n" .. concat(holds, " ") end
  local status = match("\n" .. frames.trailers:lower(), "\ngrpc%-status:[ \t]*([^\r\n]*)")
  if status then words[#words + 1] = "status\n" .. status end
  return concat(words, "\n")
end

function read_frames(handle, kind)
  if sub(kind, 1, #GRPC_WEB_TEXT) == GRPC_WEB_TEXT then return end
  local frames = {left = 0, head = "", trailers = "", tags = {}}
  frames.is_web = sub(kind, 1, #GRPC_WEB) == GRPC_WEB
  frames.compresses = (handle:headers():get("grpc-encoding") or "identity") ~= "identity"
  for chunk in handle:bodyChunks() do
    local at, length = 0, chunk:length()
    while at < length do at = take_bytes(frames, chunk, at, length) end
  end
  handle:streamInfo():dynamicMetadata():set("sluice", "answer", words_of_frames(frames))
end

end
