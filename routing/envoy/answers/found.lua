-- What is found -----------------------------------------------------------------------------------------------------

-- What was seen in an earlier turn is not seen.
local function begin_findings(found)
  found.turn, found.holds, found.ends = found.turn + 1, "", ""
  found.error, found.refused, found.stop, found.hollow = nil, nil, nil, nil
  found.thought, found.waits = nil, ""
  clear(found.counts)
end

local function end_by(found, name)
  if name == "error" then
    found.error = true
  elseif not find(found.ends, name, 1, true) then
    found.ends = found.ends .. name .. " "
  end
end

local function hold(found, holds)
  if holds and found.seen[holds] ~= found.turn then
    found.seen[holds] = found.turn
    found.holds = found.holds .. holds .. " "
  end
end

-- What an object has that holds nothing as a whole is taken back: all from where `before` ends.
local function forget(found, before)
  for path in sub(found.holds, #before + 1):gmatch("[^ ]+") do found.seen[path] = nil end
  found.holds = before
end

-- What one of several holds, each of which has to hold something, is found anew; what was found before is returned.
local function begin_item(found)
  local before = found.holds
  forget(found, "")
  return before
end

local function end_item(found, before)
  if found.holds == "" then found.hollow = true end
  for path in before:gmatch("[^ ]+") do hold(found, path) end
end

-- Whether nothing more is to be learnt of the rest of a list.
local function is_known(found, node)
  local path = node.vector or node.any
  return path and found.seen[path] == found.turn
end

-- Something is there, and not empty; `holds` is the path of what has it.
local function find_filled(found, node, holds)
  hold(found, holds)
  if node.fails then found.error = true end
  if node.refusal then found.refused = true end
  if node.last then end_by(found, node.last) end
end

-- Whether a text is base64 that begins with a number; of four bytes these are none, or infinite.
local NO_NUMBER = "^AA[DC]A[f/_][w-z0-9+/_-]"
local function is_numbers(text, from, last)
  local other = find(text, "[^%w+/_=\\-]", from)
  return not find(text, NO_NUMBER, from) and not (other and other <= last)
end

-- The first letter that is something: of a vector in base64 all but those of which zeros are made.
local function behind_nothing(node, text, at, last)
  if node.vector then return math.min(match(text, "^[A=]*()", at), last + 1) end
  return behind_blanks(text, at, last)
end

-- What holds a text, if that has any letter that is something; most that are asked about begin with one.
local function holder_of(found, node, text, from, last)
  local holds = node.holds or node.vector
  if not holds or found.seen[holds] == found.turn then return holds end
  if node.aloud then
    local is_something = speaks(found, sub(text, from, last))
    if node.aloud == "whole" then is_something = end_text(found) or is_something end
    return is_something and holds or nil
  end
  if node.vector and not is_numbers(text, from, last) then return nil end
  return behind_nothing(node, text, from, last) <= last and holds or nil
end

-- `from` to `last`, which is taken out of its answer only where somebody asks what it is.
local function find_text(found, node, text, from, last)
  -- A text is no number, whatever it says.
  if node.count then found.counts[node.count] = '"' end
  if node.last then end_by(found, node.last) end
  if last < from and not node.aloud then return end
  find_filled(found, node, holder_of(found, node, text, from, last))
  if not (node.stop or node.texts or node.held) then return end
  local word = sub(text, from, last)
  if node.held then hold(found, node.held[word]) end
  if node.stop then found.stop = find(word, "^[%w_.-]+$") and word or OTHER end
  local mark = node.texts and node.texts[word]
  if mark then end_by(found, mark) end
end

-- A number or a literal. Of a number that is told several times the last one counts.
local function find_scalar(found, node, text)
  if text == "null" then return end
  if node.count then found.counts[node.count] = sub(text, 1, LONGEST_NUMBER) end
  if node.number and find(text, "^[-%d]") then hold(found, node.number) end
  if node.vector then
    if find(text, "^%-?[0.]*[1-9]") then hold(found, node.vector) end
  elseif text == "0" or node.any then
    -- A score may be none; no error is an error of number none.
    hold(found, node.holds)
  elseif text ~= "false" then
    find_filled(found, node, node.holds)
  end
end
