-- SHA-256 of a text, in hexadecimal: nothing that Envoy brings computes it. FIPS 180-4.

local bit = require("bit")
local band, bxor, bnot, ror, rshift, tobit = bit.band, bit.bxor, bit.bnot, bit.ror, bit.rshift, bit.tobit

-- The constants are the fractions of roots of the first primes.
local ROUNDS, START = {}, {}

local function fraction(root)
  return tobit(math.floor((root % 1) * 2 ^ 32))
end

local function is_prime(number)
  for divisor = 2, math.floor(math.sqrt(number)) do
    if number % divisor == 0 then return false end
  end
  return true
end

local candidate = 2
while #ROUNDS < 64 do
  if is_prime(candidate) then
    ROUNDS[#ROUNDS + 1] = fraction(candidate ^ (1 / 3))
    if #START < 8 then START[#START + 1] = fraction(math.sqrt(candidate)) end
  end
  candidate = candidate + 1
end

local function schedule(text, at)
  local words = {}
  for i = 1, 16 do
    local a, b, c, d = text:byte(at + i * 4 - 4, at + i * 4 - 1)
    words[i] = tobit(a * 2 ^ 24 + b * 2 ^ 16 + c * 2 ^ 8 + d)
  end
  for i = 17, 64 do
    local x, y = words[i - 15], words[i - 2]
    local near = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
    local far = bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
    words[i] = tobit(words[i - 16] + near + words[i - 7] + far)
  end
  return words
end

local function compress(state, words)
  local a, b, c, d, e, f, g, h = unpack(state)
  for i = 1, 64 do
    local choice = bxor(band(e, f), band(bnot(e), g))
    local first = tobit(h + bxor(ror(e, 6), ror(e, 11), ror(e, 25)) + choice + ROUNDS[i] + words[i])
    local majority = bxor(band(a, b), band(a, c), band(b, c))
    local second = tobit(bxor(ror(a, 2), ror(a, 13), ror(a, 22)) + majority)
    h, g, f, e, d, c, b, a = g, f, e, tobit(d + first), c, b, a, tobit(first + second)
  end
  for i, value in ipairs({a, b, c, d, e, f, g, h}) do state[i] = tobit(state[i] + value) end
end

local function sha256(text)
  local bits = #text * 8
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64)
  for shift = 7, 0, -1 do padded = padded .. string.char(math.floor(bits / 256 ^ shift) % 256) end
  local state = {unpack(START)}
  for at = 1, #padded, 64 do compress(state, schedule(padded, at)) end
  local digest = {}
  for i = 1, 8 do digest[i] = bit.tohex(state[i]) end
  return table.concat(digest)
end
