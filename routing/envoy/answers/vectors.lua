-- Vectors -----------------------------------------------------------------------------------------------------------
--
-- A vector is a list of finite numbers, or these in base64, four bytes each, or as many as fill four. Up to the first
-- that is not zero they are looked at; behind it each is asked no more than whether it is one.

local ZEROS, begin_numbers, take_number
do

local VECTOR_VALUE, VECTOR_AFTER = row(true), row(true)
lead(VECTOR_AFTER, ",", VECTOR_VALUE)
lead(VECTOR_AFTER, "]", CLOSE_LIST)
number_rows(VECTOR_VALUE, function(letter) return NEXT[VECTOR_AFTER + letter] end, true)

-- Three numbers are sixteen letters, which have a row each: while all is zero, while what a number begins with may be
-- that of none, and else.
local LETTERS_OF_THREE = 16
ZEROS = ROWS + 256
local BEGUN, SOUND = ZEROS + LETTERS_OF_THREE * 256, ZEROS + 2 * LETTERS_OF_THREE * 256
for _ = 1, 3 * LETTERS_OF_THREE do row() end
local PADDED_ONCE, PADDED = row(), row()
lead(PADDED_ONCE, "=", PADDED)
lead(PADDED, '"', AFTER)

-- What NaN and infinity are by IEEE 754, byte by byte, as processors and accelerators make them.
local NO_NUMBER = {{0, 255}, {0, 224, 255}, {128, 192, 255}, {127, 255}}

-- Whether a byte has the bits that a letter has of it; the byte begins `behind` bits behind the letter.
local function is_like(whole, value, behind)
  for at = math.max(behind, 0), math.min(behind + 7, 5) do
    if band(rshift(value, 5 - at), 1) ~= band(rshift(whole, 7 + behind - at), 1) then return false end
  end
  return true
end

-- Whether the letter at a place may be one of a number that is none: the first, second or third of the three.
local function is_of_none(number, place, value)
  for each, bytes in ipairs(NO_NUMBER) do
    local is_one = false
    for _, whole in ipairs(bytes) do
      is_one = is_one or is_like(whole, value, (number * 4 + each - 1) * 8 - place * 6)
    end
    if not is_one then return false end
  end
  return true
end

local function row_of(rows, place) return rows + place % LETTERS_OF_THREE * 256 end

-- Where a letter leads from a row in which a number has begun like none, or has not.
local function behind_letter(is_begun, place, value)
  local number = math.floor(place * 6 / 32)
  is_begun = is_begun and is_of_none(number, place, value)
  if place * 6 + 6 >= (number + 1) * 32 then
    if is_begun then return BROKEN end
    is_begun = place == LETTERS_OF_THREE - 1 or is_of_none(number + 1, place, value)
  end
  return row_of(is_begun and BEGUN or SOUND, place + 1)
end

-- Which rows go on where all was zero up to one.
local BEHIND_ZEROS = {}

local function base64_row(place)
  local zeros, begun, sound = row_of(ZEROS, place), row_of(BEGUN, place), row_of(SOUND, place)
  for value = 0, 63 do
    for at = value + 1, #BASE64, 64 do
      local letter = byte(BASE64, at)
      NEXT[begun + letter] = behind_letter(true, place, value)
      NEXT[sound + letter] = behind_letter(false, place, value)
      NEXT[zeros + letter] = NO_ZERO
    end
  end
  lead(zeros, "A", row_of(ZEROS, place + 1))
  lead(zeros, "\\", NO_ZERO)
  for _, from in ipairs({zeros, begun, sound}) do
    -- What is escaped is not taken apart.
    if from ~= zeros then lead(from, "\\", NEXT[TEXT + BACKSLASH]) end
    if place == 0 or place == 6 or place == 11 then lead(from, '"', AFTER) end
    if place == 6 then lead(from, "=", PADDED_ONCE) end
    if place == 11 then lead(from, "=", PADDED) end
  end
end
for place = 0, LETTERS_OF_THREE - 1 do base64_row(place) end

local is_begun = true
for place = 0, LETTERS_OF_THREE - 1 do
  BEHIND_ZEROS[row_of(ZEROS, place)] = row_of(is_begun and BEGUN or SOUND, place)
  is_begun = behind_letter(is_begun, place, 0) == row_of(BEGUN, place + 1)
end

-- The first letter that is not zero; what is escaped and may be the end of it is left to the rest of the text.
function begin_numbers(walk, state, text, at)
  if byte(text, at) ~= BACKSLASH then
    hold(walk.found, walk.node.vector)
    return BEHIND_ZEROS[state], at
  end
  if not find(text, "^\\u003[dD]", at) then hold(walk.found, walk.node.vector) end
  return TEXT, at
end

-- A value of a list that is to be a vector, where that is a number or a literal.
function take_number(walk, word)
  local number = tonumber(word)
  if not number or number ~= number or math.abs(number) >= INFINITE then return NOWHERE end
  if number == 0 then return AFTER end
  hold(walk.found, walk.node.vector)
  return VECTOR_AFTER
end

end
