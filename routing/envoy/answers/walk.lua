-- The walk ----------------------------------------------------------------------------------------------------------
--
-- JSON is an automaton: each byte leads from one state to the next, most of them by nothing but a look into a table.
-- Where something happens the table has an action, which is negative. A state is the place of its row.

-- Such an array is read twice as fast as a table.
local NEXT = ffi.new("int32_t[?]", MOST_ROWS * 256)
local ACTIONS = {}
local ROWS = 0
local WHITE, DIGITS, HEX, ENDS = " \n\r\t", "0123456789", "0123456789abcdefABCDEF", " \n\r\t,}]"

local BROKEN, OPEN_OBJECT, OPEN_LIST, CLOSE_OBJECT, CLOSE_LIST, SEPARATE = -1, -2, -3, -4, -5, -6
local NAME_BEGINS, NAME_ENDS, VALUE_BEGINS, TEXT_ENDS, SCALAR_ENDS, LITERAL_ENDS = -7, -8, -9, -10, -11, -12
local FIRST_OF_LIST, FIRST_OF_OBJECT = -13, -14

local function row(white)
  ROWS = ROWS + 256
  for letter = 0, 255 do NEXT[ROWS + letter] = BROKEN end
  if white then
    for at = 1, #WHITE do NEXT[ROWS + byte(WHITE, at)] = ROWS end
  end
  return ROWS
end

local function lead(from, letters, to)
  for at = 1, #letters do NEXT[from + byte(letters, at)] = to end
end

-- How UTF-8 goes on behind its first byte, by RFC 3629: of the first bytes from one to another the second is one of
-- these, and then so many follow.
local SECONDS = {
  {194, 223, 128, 191, 0},
  {224, 224, 160, 191, 1},
  {225, 236, 128, 191, 1},
  {237, 237, 128, 159, 1},
  {238, 239, 128, 191, 1},
  {240, 240, 144, 191, 2},
  {241, 243, 128, 191, 2},
  {244, 244, 128, 143, 2},
}

local function letter_rows(text)
  local following = {[0] = text, row(), row()}
  for count = 1, 2 do
    for letter = 128, 191 do NEXT[following[count] + letter] = following[count - 1] end
  end
  for _, of in ipairs(SECONDS) do
    local second = row()
    for letter = of[3], of[4] do NEXT[second + letter] = following[of[5]] end
    for letter = of[1], of[2] do NEXT[text + letter] = second end
  end
end

-- A text from behind its first quotation mark; `to` is where the last one leads. TEXT_ROWS are all of its rows.
local TEXT_ROWS = 1 + 5 + 2 + #SECONDS

local function text_rows(to)
  local text, escape = row(), row()
  local digits = {row(), row(), row(), row()}
  for letter = 32, 127 do NEXT[text + letter] = text end
  letter_rows(text)
  lead(text, '"', to)
  lead(text, "\\", escape)
  lead(escape, '"\\/bfnrt', text)
  lead(escape, "u", digits[1])
  for number = 1, 4 do lead(digits[number], HEX, digits[number + 1] or text) end
  return text
end

local function literal_rows(from, word, to)
  for at = 1, #word do
    local behind = at < #word and row() or to
    lead(from, sub(word, at, at), behind)
    from = behind
  end
end

-- A number, from a row that leads into it; `behind` gives each byte that ends one its state.
local function number_rows(from, behind)
  local minus, zero, whole, point, parts, e, sign, power = row(), row(), row(), row(), row(), row(), row(), row()
  for _, begin in ipairs({from, minus}) do
    lead(begin, "0", zero)
    lead(begin, "123456789", whole)
  end
  lead(from, "-", minus)
  lead(whole, DIGITS, whole)
  lead(point, DIGITS, parts)
  lead(parts, DIGITS, parts)
  for _, digits in ipairs({zero, whole, parts}) do lead(digits, "eE", e) end
  for _, digits in ipairs({zero, whole}) do lead(digits, ".", point) end
  lead(e, "+-", sign)
  for _, before in ipairs({e, sign, power}) do lead(before, DIGITS, power) end
  for _, digits in ipairs({zero, whole, parts, power}) do
    for at = 1, #ENDS do NEXT[digits + byte(ENDS, at)] = behind(byte(ENDS, at)) end
  end
end

-- All values: where one may begin, and the text that one may be. What is behind one is `after`, or the action there.
local function value_rows(value, after, text_ends, literal_ends, scalar_ends)
  local text = text_rows(text_ends or after)
  lead(value, '"', text)
  lead(value, "{", OPEN_OBJECT)
  lead(value, "[", OPEN_LIST)
  for _, word in ipairs({"true", "false", "null"}) do literal_rows(value, word, literal_ends or after) end
  number_rows(value, function(letter) return scalar_ends or NEXT[after + letter] end)
  return text
end

local function name_rows(value, name_ends)
  local name, colon = row(true), row(true)
  local text = text_rows(name_ends or colon)
  lead(name, '"', text)
  lead(colon, ":", value)
  return name, colon, text
end

local NOWHERE = row()
for letter = 0, 255 do NEXT[NOWHERE + letter] = NOWHERE end

-- The document as a whole.
local BEGINNING, OVER = row(true), row(true)
lead(BEGINNING, "{", OPEN_OBJECT)
lead(BEGINNING, "[", OPEN_LIST)

-- Lists and objects in which nothing is looked for.
local LIST_VALUE, LIST_AFTER = row(true), row(true)
lead(LIST_AFTER, ",", LIST_VALUE)
lead(LIST_AFTER, "]", CLOSE_LIST)
value_rows(LIST_VALUE, LIST_AFTER)
local LIST_FIRST = row()
for letter = 0, 255 do NEXT[LIST_FIRST + letter] = NEXT[LIST_VALUE + letter] end
lead(LIST_FIRST, WHITE, LIST_FIRST)
lead(LIST_FIRST, "]", CLOSE_LIST)

local OBJECT_VALUE, OBJECT_AFTER = row(true), row(true)
local OBJECT_NAME, _, OBJECT_TEXT = name_rows(OBJECT_VALUE)
lead(OBJECT_AFTER, ",", OBJECT_NAME)
lead(OBJECT_AFTER, "}", CLOSE_OBJECT)
value_rows(OBJECT_VALUE, OBJECT_AFTER)
local OBJECT_FIRST = row(true)
lead(OBJECT_FIRST, '"', OBJECT_TEXT)
lead(OBJECT_FIRST, "}", CLOSE_OBJECT)

-- Values that are not looked at, of lists and objects in which something is.
local VALUE, AFTER = row(true), row(true)
lead(AFTER, ",", SEPARATE)
lead(AFTER, "}", CLOSE_OBJECT)
lead(AFTER, "]", CLOSE_LIST)
local TEXT = value_rows(VALUE, AFTER)
local _, COLON, NAME_TEXT = name_rows(VALUE)
local FIRST_VALUE, FIRST_NAME = row(), row(true)
for letter = 0, 255 do NEXT[FIRST_VALUE + letter] = FIRST_OF_LIST end
lead(FIRST_VALUE, WHITE, FIRST_VALUE)
lead(FIRST_VALUE, "]", CLOSE_LIST)
lead(FIRST_NAME, '"', FIRST_OF_OBJECT)
lead(FIRST_NAME, "}", CLOSE_OBJECT)

-- Names and values that are looked at. All rows from here on are within one.
local WANTED_VALUE, WANTED_BEGIN = row(true), row()
local WANTED_NAME, WANTED_COLON = row(true), row(true)
lead(WANTED_VALUE, '"-0123456789tfn', VALUE_BEGINS)
lead(WANTED_VALUE, "{", OPEN_OBJECT)
lead(WANTED_VALUE, "[", OPEN_LIST)
lead(WANTED_NAME, '"', NAME_BEGINS)
lead(WANTED_COLON, ":", WANTED_VALUE)
local WITHIN = ROWS
local WANTED_NAME_TEXT = text_rows(NAME_ENDS)
local WITHIN_VALUE = ROWS
local WANTED_TEXT = value_rows(WANTED_BEGIN, AFTER, TEXT_ENDS, LITERAL_ENDS, SCALAR_ENDS)
local WITHIN_SCALAR = WANTED_TEXT + TEXT_ROWS * 256

local function unescape(text)
  text = text:gsub("\\u00(%x%x)", function(digits)
    local letter = string.char(tonumber(digits, 16))
    return letter == "\\" and "\\\\" or letter
  end)
  return (text:gsub("\\(.)", ESCAPED))
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
  if node.every then walk.outer[depth] = begin_item(walk.found) end
  if node.may_be_void then walk.before[depth], walk.void[depth] = walk.found.holds, false end
  return is_object and FIRST_NAME or FIRST_VALUE, at + 1
end

local function close(walk, at, is_object)
  local depth = walk.depth
  if walk.objects[depth] ~= is_object then return NOWHERE, at end
  local own = walk.nodes[depth]
  if own and own.may_be_void and walk.void[depth] then forget(walk.found, walk.before[depth]) end
  if own and own.every then end_item(walk.found, walk.outer[depth]) end
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
  find_scalar(walk.found, walk.node, sub(text, walk.token, last))
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
ACTIONS[-CLOSE_OBJECT] = function(walk, _, _, at) return close(walk, at, true) end
ACTIONS[-CLOSE_LIST] = function(walk, _, _, at) return close(walk, at, false) end

ACTIONS[-SEPARATE] = function(walk, _, text, at)
  if walk.objects[walk.depth] then return begin_name(walk, text, at + 1) end
  return next_of(walk), at + 1
end

ACTIONS[-NAME_BEGINS] = function(walk, _, _, at)
  walk.token = at
  return WANTED_NAME_TEXT, at + 1
end

ACTIONS[-NAME_ENDS] = function(walk, _, text, at)
  local own, name = walk.nodes[walk.depth], sub(text, walk.token + 1, at - 1)
  local node = own.members[name]
  if not node and find(name, "\\", 1, true) then node = own.members[unescape(name)] end
  node = node or own["?"] or false
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
  if letter == QUOTE then return WANTED_TEXT, behind_plain(text, at + 1) end
  return NEXT[WANTED_BEGIN + letter], at + 1
end

ACTIONS[-TEXT_ENDS] = function(walk, _, text, at)
  local node = walk.node
  find_text(walk.found, node, text, walk.token + 1, at - 1)
  if node.voids and node.voids[sub(text, walk.token + 1, at - 1)] then walk.void[walk.depth] = true end
  walk.node = false
  return AFTER, at + 1
end

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
  end
  walk.root, walk.begun, walk.head = root, false, ""
  begin_again(walk)
  begin_findings(walk.found)
  return walk
end

local function end_walk(walk) FREE[#FREE + 1] = walk end

local function is_over(walk) return walk.state == OVER end

local function has_begun(walk) return walk.state ~= BEGINNING end

-- Whether a text has nothing for its user yet, but may think aloud: what is kept of it begins with a whole letter.
local function still_thinks(walk, state, text, last)
  local node, found, at = walk.node, walk.found, last + 1
  if not node.aloud or found.seen[node.holds] == found.turn then return false end
  if state ~= WANTED_TEXT then
    repeat at = at - 1 until byte(text, at) == BACKSLASH or byte(text, at) >= FIRST_OF_LETTER
  end
  if speaks(found, sub(text, walk.token + 1, at - 1)) then return false end
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
    if still_thinks(walk, state, text, last) then return WANTED_VALUE end
    -- A text may hold nothing for as long as it likes; what is nothing is all that can be left out of it.
    local at = behind_nothing(walk.node, text, walk.token + 1, last)
    if last - at < LONGEST then
      walk.carry = '"' .. sub(text, at, last)
      return WANTED_VALUE
    end
  end
  if is_name then
    walk.node = false
    return state - WANTED_NAME_TEXT + NAME_TEXT
  end
  if not walk.node.vector or is_numbers(text, walk.token + 1, last) then
    find_filled(walk.found, walk.node, walk.node.holds or walk.node.vector)
  end
  walk.node = false
  return state < WITHIN_SCALAR and state - WANTED_TEXT + TEXT or NOWHERE
end

-- Goes on from `at` to `last`, through what may be any part of a document.
local function go(walk, text, at, last)
  if walk.carry ~= "" then
    text = walk.carry .. sub(text, at, last)
    at, last, walk.carry = 1, #text, ""
  end
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
  walk.state = state > WITHIN and cut(walk, state, text, last) or state
end
