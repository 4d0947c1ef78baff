-- Lets requests through that carry an API key of their endpoint, or a token that was verified before.
-- A key is known by its SHA-256 alone.

local ENDPOINTS = {
--[[endpoints]]
}
local LONGEST_KEY = 512

local function sent_key(headers)
  local bearer = (headers:get("authorization") or ""):match("^[Bb]earer +(.+)$")
  return headers:get("x-api-key") or headers:get("api-key") or bearer
end

-- What was found of a token: its claims where it was verified, else why it was not.
local function token_found(handle)
  return handle:streamInfo():dynamicMetadata():get("envoy.filters.http.jwt_authn") or {}
end

-- Why a request is refused. Of a key it says the same whether it was revoked, is another endpoint's, or never was.
local function reason(key, keys, failed)
  if key == nil then return "key-missing" end
  local is_token = select(2, key:gsub("%.", "")) == 2
  if not failed or (not is_token and next(keys) ~= nil) then return "key-unknown" end
  if failed["message"] == "Jwt is expired" then return "token-expired" end
  if failed["message"] == "Jwt not yet valid" then return "token-early" end
  return "token-unknown"
end

local function refuse(handle, why)
  handle:streamInfo():dynamicMetadata():set("sluice.fields", "refused", why)
  handle:respond({[":status"] = "401", ["www-authenticate"] = "Bearer"}, why)
end

function envoy_on_request(handle)
  local context = handle:filterContext()
  if context:get("endpoint") == nil then return end
  local keys = ENDPOINTS[context:get("endpoint")] or {}
  local headers = handle:headers()
  local key = sent_key(headers)
  local client = key ~= nil and #key <= LONGEST_KEY and keys[sha256(key)]
  local token = context:get("tokens") and token_found(handle) or {}
  if not client and token["claims"] == nil then
    refuse(handle, reason(key, keys, token["failed"]))
    return
  end
  headers:remove("authorization")
  headers:remove("x-api-key")
  headers:remove("api-key")
  if client then handle:streamInfo():dynamicMetadata():set("sluice", "client", client) end
end
