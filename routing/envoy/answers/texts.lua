-- Texts and sounds --------------------------------------------------------------------------------------------------
--
-- What an answer looks like that is no JSON: it is no text for being called one.

local read_text
do

local LONGEST_TEXT, LONGEST_BEGINNING = 65536, 64
local DOCUMENTS = {'^%s*{%s*"', "^%s*<!doctype", "^%s*<html", "^%s*<%?xml"}
-- What RFC 9110 calls the states of a server that has failed.
local STATES = {
  ["internal server error"] = true, ["not implemented"] = true, ["bad gateway"] = true,
  ["service unavailable"] = true, ["gateway timeout"] = true, ["http version not supported"] = true,
}

local function is_document(beginning)
  for _, pattern in ipairs(DOCUMENTS) do
    if find(beginning, pattern) then return true end
  end
  return false
end

local function names_state(text)
  if #text > LONGEST_BEGINNING then return false end
  local words = text:gsub("^%s+", ""):gsub("^http/[%d.]+%s+", ""):gsub("^error:?%s+", ""):gsub("^%d%d%d:?%s+", "")
  return STATES[(words:gsub("[%s%p]+$", ""))] == true
end

-- Subtitles have words beside the numbers and times of their cues.
local function has_words(text)
  if find(text, "-->", 1, true) or find(text, "^%s*WEBVTT") or find(text, "^\239\187\191WEBVTT") then
    text = ("\n" .. text):gsub("\n[^\n]*%-%->[^\n]*", "\n"):gsub("\n%s*%d+%s*%f[\n%z]", "\n")
    text = text:gsub("WEBVTT[^\n]*", "", 1)
  end
  text = text:gsub("%c", " ")
  return behind_blanks(text, 1, #text) <= #text
end

local function look_of(text, is_sound)
  local beginning = sub(text, 1, LONGEST_BEGINNING):lower()
  if is_document(beginning) then return "document" end
  if names_state(#text > LONGEST_BEGINNING and text or beginning) then return "state" end
  return (is_sound or has_words(text)) and "answer" or "nothing"
end

function read_text(handle, is_sound)
  local text, longest = "", is_sound and LONGEST_BEGINNING + 1 or LONGEST_TEXT
  for chunk in handle:bodyChunks() do
    local size = math.min(chunk:length(), longest - #text)
    if size > 0 then text = text .. chunk:getBytes(0, size) end
    if #text >= longest then break end
  end
  handle:streamInfo():dynamicMetadata():set("sluice", "answer", "looks\n" .. look_of(text, is_sound))
end

end
