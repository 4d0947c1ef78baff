-- The first letter from `at` on that is no blank, `last` + 1 where all are; escapes count as the letters they stand for.
local function behind_blanks(text, at, last)
  while at <= last do
    local letter, behind = byte(text, at), nil
    if letter == BLANK then
      behind = at + 1
    elseif letter == BACKSLASH then
      behind = match(text, "^\\[bfnrt]()", at)
      local code, after = match(text, "^\\u(%x%x%x%x)()", at)
      if code and BLANK_CODES[tonumber(code, 16)] then behind = after end
    elseif letter >= FIRST_OF_SEVERAL then
      for _, blank in ipairs(BLANKS) do behind = behind or match(text, blank, at) end
    end
    if not behind then return at end
    at = behind
  end
  return at
end

-- Thoughts aloud ----------------------------------------------------------------------------------------------------
--
-- A model may think within its text, between marks; what stands there is not for its user.

local MARKS = {{"<think>", "</think>"}, {"<thinking>", "</thinking>"}, {"[THINK]", "[/THINK]"}}
local LONGEST_MARK = #"</thinking>"

local function without_escapes(text)
  if not find(text, "\\", 1, true) then return text end
  return (text:gsub("\\u003[cC]", "<"):gsub("\\u003[eE]", ">"):gsub("\\/", "/"))
end

-- The mark with which a text begins, and whether it may be the beginning of one.
local function begun_mark(text)
  local may_be = text == ""
  for _, mark in ipairs(MARKS) do
    if sub(text, 1, #mark[1]) == mark[1] then return mark, false end
    if sub(mark[1], 1, #text) == text then may_be = true end
  end
  return nil, may_be
end

-- Whether a text, or what comes next of one, has anything for its user. What may be a part of a mark waits for the rest.
local function speaks(found, piece)
  local text = found.waits .. without_escapes(piece)
  found.waits = ""
  while true do
    if found.thought then
      local _, last = find(text, found.thought, 1, true)
      if not last then
        found.waits = sub(text, -LONGEST_MARK)
        return false
      end
      found.thought, text = nil, sub(text, last + 1)
    end
    text = sub(text, behind_blanks(text, 1, #text))
    local mark, may_be = begun_mark(text)
    if may_be then
      found.waits = text
      return false
    end
    if not mark then return true end
    found.thought, text = mark[2], sub(text, #mark[1] + 1)
  end
end

-- A whole text is over: a beginning of a mark that waits is none, and no thought goes on in the next.
local function end_text(found)
  local is_something = not found.thought and found.waits ~= ""
  found.thought, found.waits = nil, ""
  return is_something
end
