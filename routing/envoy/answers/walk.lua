-- The walk ----------------------------------------------------------------------------------------------------------

local ACTIONS = {}
local read_arguments, end_arguments

-- What escapes stand for; beyond ASCII any letter for all.
local function unescape(text)
  if not find(text, "\\", 1, true) then return text end
  if not find(text, "\\u", 1, true) then return (text:gsub("\\(.)", ESCAPED)) end
  return (text:gsub("\\(.)(%x?%x?%x?%x?)", function(letter, digits)
    if letter ~= "u" then return ESCAPED[letter] .. digits end
    local code = tonumber(digits, 16)
    return code < FIRST_OF_SEVERAL and string.char(code) or "?"
  end))
end

-- Where a list or object was opened, or a value in it has ended.
local function behind(walk)
  local depth = walk.depth
  if depth == 0 then return OVER end
  if walk.nodes[depth] then return AFTER end
  return walk.objects[depth] and OBJECT_AFTER or LIST_AFTER
end

local function open(walk, at, is_object)
  local depth, node = walk.depth + 1, walk.node
  if depth > DEEPEST then return NOWHERE, at end
  walk.depth, walk.nodes[depth], walk.objects[depth], walk.node = depth, node, is_object, false
  if not node then return is_object and OBJECT_FIRST or LIST_FIRST, at + 1 end
  if node.count then walk.found.counts[node.count] = "{" end
  if node.arguments then walk.found.cut = true end
  if node.every then walk.outer[depth] = begin_item(walk.found, node) end
  if node.opened then OPENED[node.opened](walk, at) end
  if not is_object then return FIRST_VALUE, at + 1 end
  walk.names[depth], walk.before[depth], walk.void[depth] = 0, walk.found.holds, false
  return FIRST_NAME, at + 1
end

local function close(walk, text, at, is_object)
  local depth = walk.depth
  if walk.objects[depth] ~= is_object then return NOWHERE, at end
  local own = walk.nodes[depth]
  if own and is_object and walk.void[depth] then forget(walk.found, walk.before[depth]) end
  if depth == walk.data_depth then
    count_data(walk, text, at - 1)
    walk.data_depth = nil
  end
  if own and own.every then end_item(walk.found, own, walk.outer[depth]) end
  walk.depth, walk.node = depth - 1, false
  return behind(walk), at + 1
end

-- The next of a list.
local function next_of(walk)
  local node = walk.nodes[walk.depth]["*"]
  if is_known(walk.found, node) then
    walk.nodes[walk.depth], walk.node = false, false
    return LIST_VALUE
  end
  walk.node = node
  return WANTED_VALUE
end

local function take_scalar(walk, text, last)
  local node, word = walk.node, sub(text, walk.token, last)
  if node.vector and not walk.objects[walk.depth] then return take_number(walk, word) end
  find_scalar(walk.found, node, word)
  walk.node = false
  return AFTER
end

-- A name that is looked at, if it begins right here or behind a blank. What is behind a piece is no quotation mark.
local function begin_name(walk, text, at)
  local begin = byte(text, at) == BLANK and at + 1 or at
  if byte(text, begin) ~= QUOTE then return WANTED_NAME, at end
  walk.token = begin
  return WANTED_NAME_TEXT, begin + 1
end

ACTIONS[-BROKEN] = function(_, _, _, at) return NOWHERE, at end
ACTIONS[-OPEN_OBJECT] = function(walk, _, _, at) return open(walk, at, true) end
ACTIONS[-OPEN_LIST] = function(walk, _, _, at) return open(walk, at, false) end
ACTIONS[-CLOSE_OBJECT] = function(walk, _, text, at) return close(walk, text, at, true) end
ACTIONS[-CLOSE_LIST] = function(walk, _, text, at) return close(walk, text, at, false) end

ACTIONS[-SEPARATE] = function(walk, _, text, at)
  if walk.objects[walk.depth] then return begin_name(walk, text, at + 1) end
  return next_of(walk), at + 1
end

ACTIONS[-NAME_BEGINS] = function(walk, _, _, at)
  walk.token = at
  return WANTED_NAME_TEXT, at + 1
end

-- Of members of one name the last one counts, as parsers have it (RFC 8259, 4): what an earlier one holds is taken back.
local function begin_member(walk, node, depth)
  local names = walk.names[depth]
  if band(names, node.name) ~= 0 then take_back(walk.found, node.path, walk.before[depth]) end
  walk.names[depth] = bor(names, node.name)
end

ACTIONS[-NAME_ENDS] = function(walk, _, text, at)
  local own, name = walk.nodes[walk.depth], sub(text, walk.token + 1, at - 1)
  local node = own.members[name]
  if not node and find(name, "\\", 1, true) then node = own.members[unescape(name)] end
  node = node or own["?"] or false
  if node and node.name then begin_member(walk, node, walk.depth) end
  if node and node.own then hold(walk.found, node.own) end
  if node and node.form then walk.form = bor(walk.form, node.form) end
  walk.node = node
  return node and WANTED_COLON or COLON, at + 1
end

-- Where four letters stand that are not all plain ASCII, from a place within a text on; it may be a few letters before.
local function behind_plain(text, at)
  local fours = ffi.cast(FOURS, ffi.cast(LETTERS, text) + (at - 1))
  local whole = rshift(#text - at + 1, 2)
  for place = 0, whole - 1 do
    local four = fours[place]
    -- The highest bit of a letter is set here where it is below a blank, beyond ASCII, a quotation mark or a backslash.
    local odd = bor(four, four - 0x20202020, bxor(four, 0x22222222) - 0x01010101, bxor(four, 0x5c5c5c5c) - 0x01010101)
    if band(odd, 0x80808080) ~= 0 then return at + place * 4 end
  end
  return at + whole * 4
end

ACTIONS[-VALUE_BEGINS] = function(walk, _, text, at)
  walk.token = at
  local letter = byte(text, at)
  if letter == QUOTE and walk.node.vector then return ZEROS, at + 1 end
  if letter == QUOTE then return WANTED_TEXT, behind_plain(text, at + 1) end
  return NEXT[WANTED_BEGIN + letter], at + 1
end

ACTIONS[-TEXT_ENDS] = function(walk, _, text, at)
  local node = walk.node
  find_text(walk.found, node, text, walk.token + 1, at - 1)
  if node.arguments then
    read_arguments(walk.found, text, walk.token + 1, at - 1)
    if node.arguments == "whole" then end_arguments(walk.found) end
  end
  if node.voids and node.voids[sub(text, walk.token + 1, at - 1)] then walk.void[walk.depth] = true end
  walk.node = false
  return AFTER, at + 1
end

ACTIONS[-NO_ZERO] = begin_numbers
ACTIONS[-LITERAL_ENDS] = function(walk, _, text, at) return take_scalar(walk, text, at), at + 1 end
ACTIONS[-SCALAR_ENDS] = function(walk, _, text, at) return take_scalar(walk, text, at - 1), at end

-- The list or object is not empty; it may be that nothing is looked for in it but that.
ACTIONS[-FIRST_OF_LIST] = function(walk, _, _, at)
  local own = walk.nodes[walk.depth]
  find_filled(walk.found, own, own.list)
  if own["*"] then return next_of(walk), at end
  walk.nodes[walk.depth] = false
  return LIST_VALUE, at
end

ACTIONS[-FIRST_OF_OBJECT] = function(walk, _, text, at)
  local own = walk.nodes[walk.depth]
  find_filled(walk.found, own, own.object)
  if own.members then return begin_name(walk, text, at) end
  walk.nodes[walk.depth] = false
  return OBJECT_TEXT, at + 1
end

local function begin_again(walk)
  walk.state, walk.depth, walk.node, walk.carry, walk.form = BEGINNING, 0, walk.root, "", 0
end

-- Walks that have ended, for the next answers: to make and to collect one costs more than to go through most answers.
local FREE = {}

local function new_walk(root)
  local walk = remove(FREE)
  if not walk then
    walk = {found = {seen = {}, turn = 0, counts = {}}, nodes = {}, objects = {}, before = {}, void = {}, outer = {}}
    walk.names = {}
  end
  walk.root, walk.begun, walk.head, walk.data_depth = root, false, "", nil
  begin_again(walk)
  begin_findings(walk.found)
  return walk
end

local function end_walk(walk)
  local found = walk.found
  FREE[#FREE + 1], FREE[#FREE + 2], found.arguments = walk, found.arguments, nil
end

local function is_over(walk) return walk.state == OVER end

local function has_begun(walk) return walk.state ~= BEGINNING end

-- Whether a text that is read to its end, as it thinks aloud or is JSON, goes on in the next piece: what is kept of it
-- begins with a whole letter.
local function goes_on(walk, state, text, last)
  local node, found, at = walk.node, walk.found, last + 1
  local is_aloud = node.aloud and node.holds and (found.says or found.seen[node.holds] ~= found.turn)
  if found.opened and found.says or not (is_aloud or node.arguments) then return false end
  if state ~= WANTED_TEXT then
    repeat at = at - 1 until byte(text, at) == BACKSLASH or byte(text, at) >= FIRST_OF_LETTER
  end
  if is_aloud then hold(found, holder_aloud(found, node, text, walk.token + 1, at - 1)) end
  if node.arguments then read_arguments(found, text, walk.token + 1, at - 1) end
  walk.carry = '"' .. sub(text, at, last)
  return true
end

-- What is looked at goes on in the next piece: it is kept where it is short, else passed over.
local function cut(walk, state, text, last)
  local is_name = state <= WITHIN_VALUE
  if last - walk.token < LONGEST then
    walk.carry = sub(text, walk.token, last)
    return is_name and WANTED_NAME or WANTED_VALUE
  end
  if state > WITHIN_VALUE and state < WITHIN_SCALAR then
    if goes_on(walk, state, text, last) then return WANTED_VALUE end
    -- A text may hold nothing for as long as it likes; what is nothing is all that can be left out of it.
    local at = behind_blanks(text, walk.token + 1, last)
    if last - at < LONGEST then
      walk.carry = '"' .. sub(text, at, last)
      return WANTED_VALUE
    end
  end
  if is_name then
    walk.node = false
    return state - WANTED_NAME_TEXT + NAME_TEXT
  end
  find_filled(walk.found, walk.node, walk.node.holds)
  walk.node = false
  return state < WITHIN_SCALAR and state - WANTED_TEXT + TEXT or NOWHERE
end

-- Goes on from `at` to `last`, through what may be any part of a document.
local function go(walk, text, at, last)
  if walk.carry ~= "" then
    text = walk.carry .. sub(text, at, last)
    at, last, walk.carry = 1, #text, ""
  end
  walk.data_at = at
  -- The compiler is told that all of them are whole numbers: it has them for fractions otherwise, and takes twice as long.
  local state = tobit(walk.state)
  at, last = tobit(at), tobit(last)
  while at <= last do
    local to = NEXT[state + byte(text, at)]
    -- A loop within the loop, as that is what the compiler makes fast.
    while to > 0 do
      state, at = to, tobit(at + 1)
      if at > last then break end
      to = NEXT[state + byte(text, at)]
    end
    if to < 0 then
      state, at = ACTIONS[-to](walk, state, text, at)
      state, at = tobit(state), tobit(at)
    end
  end
  if walk.data_depth then count_data(walk, text, last) end
  walk.state = state > WITHIN and state < BEYOND and cut(walk, state, text, last) or state
end
