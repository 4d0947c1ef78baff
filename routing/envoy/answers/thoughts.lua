-- Letters -----------------------------------------------------------------------------------------------------------

local behind_blanks, speaks, end_text
do

-- The code of the letter that an escape stands for, and what is behind it; nothing where it goes on in the next piece.
local function escaped_at(text, at)
  local code, behind = match(text, "^\\u(%x%x%x%x)()", at)
  if not code then return match(text, "^\\[bfnrt]()", at) and 0 or nil, at + 2 end
  code = tonumber(code, 16)
  if code < 0xd800 or code > 0xdbff then return code, behind end
  local low, last = match(text, "^\\u([dD][c-fC-F]%x%x)()", behind)
  if low then return (code - 0xd800) * 1024 + tonumber(low, 16) + 0x2400, last end
  return behind <= #text and code or nil, behind
end

-- That of the letter which begins at `at`, in UTF-8 or as an escape.
local function letter_at(text, at)
  local code = byte(text, at)
  if code == BACKSLASH then return escaped_at(text, at) end
  if code < FIRST_OF_SEVERAL then return code, at + 1 end
  local following = code < 224 and 1 or code < 240 and 2 or 3
  if at + following > #text then return nil, at end
  code = band(code, rshift(63, following))
  for place = at + 1, at + following do code = code * 64 + band(byte(text, place), 63) end
  return code, at + following + 1
end

-- The first letter from `at` on that is no blank, `last` + 1 where all are; escapes count as the letters they stand for.
function behind_blanks(text, at, last)
  while at <= last do
    local code, behind = letter_at(text, at)
    if not BLANK_CODES[code or BACKSLASH] then return at end
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
  if not find(text, "\\u003", 1, true) and not find(text, "\\/", 1, true) then return text end
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

-- What is behind the first mark in a text, and whether that closes a thought.
local function first_mark(text)
  local first, behind, closes = #text + 1, nil, nil
  for _, mark in ipairs(MARKS) do
    for kind = 1, 2 do
      local at, last = find(text, mark[kind], 1, true)
      if at and at < first then first, behind, closes = at, last + 1, kind == 2 end
    end
  end
  return behind, closes
end

-- Of a text, or what comes next of one, what is for its user. What may be a part of a mark waits for the rest.
local function behind_thoughts(found, text)
  while true do
    if found.thought then
      local _, last = find(text, found.thought, 1, true)
      if not last then
        found.waits = sub(text, -LONGEST_MARK)
        return nil
      end
      found.thought, text = nil, sub(text, last + 1)
    end
    text = sub(text, behind_blanks(text, 1, #text))
    local mark, may_be = begun_mark(text)
    if may_be then
      found.waits = text
      return nil
    end
    if not mark then return text end
    found.thought, found.opened, text = mark[2], true, sub(text, #mark[1] + 1)
  end
end

local function has(text, letters, from, last)
  local at = find(text, letters, from, true)
  return at and at <= last
end

-- Whether a short piece has no letter with which a mark begins, plain or escaped.
local function is_plain(text, from, last)
  if last - from > LONGEST or has(text, "<", from, last) or has(text, "[", from, last) then return false end
  return not has(text, "\\u003", from, last)
end

-- Whether a text has anything for its user, by what came of it and comes now. Where a thought ends that no mark began, as
-- that stood in the prompt, all before was a thought; what was said before a thought began stays.
function speaks(found, text, from, last)
  if found.says and (found.opened or (found.waits == "" and is_plain(text, from, last))) then return true end
  local rest = found.waits .. without_escapes(sub(text, from, last))
  found.waits = ""
  while true do
    if not found.says then
      rest = behind_thoughts(found, rest)
      found.says = rest ~= nil
      if not rest or found.opened then return found.says end
    end
    local behind, closes = first_mark(rest)
    if not closes then
      found.opened = behind ~= nil
      found.waits = match(sub(rest, -LONGEST_MARK), "[<%[][^<%[]*$") or ""
      return true
    end
    found.says, rest = false, sub(rest, behind)
  end
end

-- A whole text is over: a beginning of a mark that waits is none, and no thought goes on in the next.
function end_text(found)
  local is_something = not found.thought and found.waits ~= ""
  found.thought, found.waits, found.says, found.opened = nil, "", false, false
  return is_something
end

end
