-- What is found -----------------------------------------------------------------------------------------------------

-- What was seen in an earlier turn is not seen.
local function begin_findings(found)
  found.turn, found.holds, found.ends = found.turn + 1, "", ""
  found.error, found.refused, found.stop, found.cut, found.several = nil, nil, nil, nil, nil
  found.thought, found.waits, found.says, found.opened, found.behind = nil, "", false, false, 0
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

-- What a member holds, all found since `before` ends, is taken back.
local function take_back(found, path, before)
  local late = sub(found.holds, #before + 1)
  forget(found, before)
  for each in late:gmatch("[^ ]+") do
    if sub(each, 1, #path) ~= path or find(each, "^[%w_]", #path + 1) then hold(found, each) end
  end
end

-- What one of several holds, each of which has to hold something, is found anew; what was found before is returned.
local function begin_item(found, node)
  local before = found.holds
  if node.tensor then begin_tensor(found) end
  forget(found, "")
  return before
end

local function end_item(found, node, before)
  local is_whole = found.holds ~= ""
  if node.tensor then is_whole = is_whole_tensor(found) end
  if not is_whole then hold(found, node.every) end
  for path in before:gmatch("[^ ]+") do hold(found, path) end
end

-- Whether nothing more is to be learnt of the rest of a list.
local function is_known(found, node) return node.any and found.seen[node.any] == found.turn end

-- Something is there, and not empty; `holds` is the path of what has it.
local function find_filled(found, node, holds)
  hold(found, holds)
  hold(found, node.other)
  if node.fails then found.error = true end
  if node.refusal then found.refused = true end
  if node.last then end_by(found, node.last) end
end

-- What holds a text that may think aloud, up to here; nothing any more where all that was said was a thought.
local function holder_aloud(found, node, text, from, last)
  local holds = node.holds
  local is_held = found.seen[holds] == found.turn
  if is_held and not found.says then return holds end
  -- What was said may have been taken back since.
  found.says = is_held
  local is_something = speaks(found, text, from, last)
  if is_held and not is_something then take_back(found, holds, "") end
  return is_something and holds or nil
end

-- What holds a whole text, or a part of one, if that has any letter that is something.
local function holder_of(found, node, text, from, last)
  local holds = node.holds
  if holds and node.aloud then
    holds = holder_aloud(found, node, text, from, last)
    if node.aloud == "whole" and end_text(found) then holds = node.holds end
    return holds
  end
  if not holds or found.seen[holds] == found.turn then return holds end
  return behind_blanks(text, from, last) <= last and holds or nil
end

-- Whether a number or a word is, where one of an error would be told, that of none.
local NO_ERRORS = {["0"] = true, ok = true, success = true, none = true, no_error = true}
local function tells_none(word) return NO_ERRORS[word:lower()] or find(word, "^2%d%d$") end

-- What a text says that is one word of several.
local function find_word(found, node, word)
  if node.noted then NOTED[node.noted](found, word) end
  if node.held then hold(found, node.held[word]) end
  if node.code and find(word, "^[%w_.:-]+$") and not tells_none(word) then hold(found, node.code) end
  if node.stop then found.stop = find(word, "^[%w_.-]+$") and word or OTHER end
  local mark = node.texts and node.texts[word]
  if mark then end_by(found, mark) end
end

-- `from` to `last`, which is taken out of its answer only where somebody asks what it is.
local function find_text(found, node, text, from, last)
  -- A text is no number, whatever it says.
  if node.count then found.counts[node.count] = '"' end
  if node.last then end_by(found, node.last) end
  if last < from and not node.aloud then return end
  local asks = node.stop or node.texts or node.held or node.code or node.fails or node.noted
  local word = asks and sub(text, from, last)
  if node.fails and tells_none(word) then return end
  find_filled(found, node, holder_of(found, node, text, from, last))
  if asks then find_word(found, node, word) end
end

-- A number or a literal. Of a number that is told several times the last one counts.
local function find_scalar(found, node, text)
  if text == "null" then return end
  local is_number = find(text, "^[-%d]")
  if node.count then found.counts[node.count] = sub(text, 1, LONGEST_NUMBER) end
  if node.noted then NOTED[node.noted](found, text) end
  hold(found, node.other)
  if node.several and text ~= "0" then found.several = true end
  if node.number and is_number then hold(found, node.number) end
  if node.code and is_number and not tells_none(text) then hold(found, node.code) end
  if node.held then hold(found, node.held[text]) end
  if node.vector then
    if find(text, "^%-?[0.]*[1-9]") then hold(found, node.vector) end
  elseif node.any then
    hold(found, node.holds)
  elseif text ~= "false" and text ~= "0" then
    find_filled(found, node, node.fails and node.holds)
  end
end
