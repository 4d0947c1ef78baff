-- Answers of which the protocol says nothing: all that is looked for are documents of an error.

local function is_error(found)
  local holds = found.holds
  if find(holds, "[number]", 1, true) or not (found.error or find(holds, "[code]", 1, true)) then return false end
  return not find(holds, "?[*]", 1, true) or find(holds, "error", 1, true) ~= nil
end

function envoy_on_response(handle)
  local kind = (handle:headers():get("content-type") or "json"):lower()
  if is_call(kind) then return read_frames(handle, kind) end
  if not is_read() or not find(kind, "json", 1, true) then return end
  local found = read_answer(handle)
  if found and is_error(found) then begin_to_read_all() end
end
