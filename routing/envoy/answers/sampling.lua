-- Sampling ----------------------------------------------------------------------------------------------------------
--
-- What costs too much to be read of all is read of one of several; once something was wrong, of all, until that has long
-- been over.

local ONE_OF = 32
local LONG = 1000

local until_next, read_all = 1, 0

local function is_read()
  if read_all > 0 then
    read_all = read_all - 1
    return true
  end
  until_next = until_next - 1
  if until_next > 0 then return false end
  until_next = ONE_OF
  return true
end

local function begin_to_read_all() read_all = LONG end
