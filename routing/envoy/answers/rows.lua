-- The rows of the walk -----------------------------------------------------------------------------------------------
--
-- JSON is an automaton: each byte leads from one state to the next, most of them by nothing but a look into a table.
-- Where something happens the table has an action, which is negative. A state is the place of its row.

-- Such an array is read twice as fast as a table.
local NEXT = ffi.new("int32_t[?]", MOST_ROWS * 256)
local ROWS = 0
local WHITE, DIGITS, HEX, ENDS = " \n\r\t", "0123456789", "0123456789abcdefABCDEF", " \n\r\t,}]"

local BROKEN, OPEN_OBJECT, OPEN_LIST, CLOSE_OBJECT, CLOSE_LIST, SEPARATE = -1, -2, -3, -4, -5, -6
local NAME_BEGINS, NAME_ENDS, VALUE_BEGINS, TEXT_ENDS, SCALAR_ENDS, LITERAL_ENDS = -7, -8, -9, -10, -11, -12
local FIRST_OF_LIST, FIRST_OF_OBJECT, NO_ZERO = -13, -14, -15

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

-- A power of ten. One of three digits, which only MSVC writes with zeros before it, is infinite.
local function power_rows(e, is_finite)
  local sign, power = row(), row()
  lead(e, "+-", sign)
  for _, before in ipairs({e, sign, power}) do lead(before, DIGITS, power) end
  if not is_finite then return {power} end
  local large, digit, digits = row(), row(), row()
  lead(e, "+", large)
  for _, before in ipairs({e, large}) do
    lead(before, "0", large)
    lead(before, "123456789", digit)
  end
  lead(digit, DIGITS, digits)
  return {power, large, digit, digits}
end

-- A number, from a row that leads into it; `behind` gives each byte that ends one its state.
local function number_rows(from, behind, is_finite)
  local minus, zero, whole, point, parts, e = row(), row(), row(), row(), row(), row()
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
  for _, digits in ipairs({zero, whole, parts, unpack(power_rows(e, is_finite))}) do
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
local BEYOND = ROWS + 256
