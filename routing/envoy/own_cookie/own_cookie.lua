-- Takes the edge's own cookie out of what a backend sets, and leaves all other cookies.

-- Browsers leave out blanks around a name, and send a cookie without a name as its value alone.
local OWN = "^[ \t=]*sluice%-unit[ \t]*="

-- What the edge itself has just given to whoever had no unit; nil for all others.
local function given(handle)
  local states = handle:streamInfo():filterState()
  local cookie, unit = states:get("sluice.new_cookie"), states:get("sluice.raw_unit")
  local is_new = cookie and unit and string.find(cookie, "sluice-unit=" .. unit .. ";", 1, true) == 1
  return is_new and cookie or nil
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local own, kept = given(handle), {}
  for at = 0, headers:getNumValues("set-cookie") - 1 do
    local cookie = headers:getAtIndex("set-cookie", at)
    if cookie == own or not string.find(cookie, OWN) then kept[#kept + 1] = cookie end
  end
  headers:remove("set-cookie")
  for _, cookie in ipairs(kept) do headers:add("set-cookie", cookie) end
end
