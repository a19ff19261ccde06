-- wrk script: what to ask, by environment.
--   BENCH_KEY    API key; none for the bare stack
--   BENCH_PATHS  file with one path a line, asked in random order (GET)
--   BENCH_CREATE ip | sipuser: POST a new method to BENCH_TRUNK each time;
--                with BENCH_ANSWERED, each with a label of its own;
--                fqdn: set the FQDN authentication of BENCH_CONNECTION each time
--   BENCH_ANSWERED  file for the labels that answers have, one a line (a file for each thread: .0, .1)
--   BENCH_LOGINS file of logins that have begun, one a line: cookie, tab, form (sso_fill.py): each is answered (POST), after
--                another one was begun (GET) that nobody will answer; BENCH_SSO: the provider's short name
-- Prints one line at the end: RESULT requests/s, p50 and p99 in ms, answers that were no success, lost connections.
local key, paths, create = os.getenv("BENCH_KEY"), {}, os.getenv("BENCH_CREATE")
local answered = os.getenv("BENCH_ANSWERED")
local threads, login, provider = 0, nil, os.getenv("BENCH_SSO")

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init()
  math.randomseed(os.time() * 100 + id)
  count = 0
  headers = { ["Content-Type"] = "application/json" }
  if key then headers["Authorization"] = "Bearer " .. key end
  if answered then answers = assert(io.open(answered .. "." .. id, "w")) end
  if create then return end
  if provider then
    logins = assert(io.open(os.getenv("BENCH_LOGINS") .. "." .. id))
    begin = wrk.format("GET", "/sso/" .. provider, { Accept = "text/html" })
    return
  end
  for line in io.lines(os.getenv("BENCH_PATHS")) do
    paths[#paths + 1] = wrk.format("GET", line, headers)
  end
end

local function new_method()
  count = count + 1
  local serial = os.time() % 100000 * 100 + id * 50 + (tonumber(os.getenv("BENCH_ROUND")) or 0)
  if create == "ip" then
    local label = answered and string.format(',"label":"w-%d-%d"', id, count) or ""
    return string.format('{"type":"ip","ip":"2001:db8:%x:%x::%x"%s}', serial % 65536, math.floor(serial / 65536) % 65536, count, label)
  end
  if create == "fqdn" then
    return string.format('{"user_name":"bench-%d-%d","password":"correct horse"}', serial, count)
  end
  return string.format('{"type":"sipuser","username":"bench-%d-%d","password":"correct horse"}', serial, count)
end

local function next_of_login()
  if login then
    local cookie, form = login:match("([^\t]*)\t(.*)")
    login = nil
    return wrk.format("POST", "/sso/saml/auth/" .. provider,
      { Accept = "text/html", Cookie = cookie, ["Content-Type"] = "application/x-www-form-urlencoded" }, form)
  end
  login = logins:read()
  if not login then
    io.stderr:write("bench: no login is left: this round says nothing\n")
    wrk.thread:stop()
  end
  return begin
end

function request()
  if provider then return next_of_login() end
  if create == "fqdn" then
    return wrk.format("POST", "/security/connections/" .. os.getenv("BENCH_CONNECTION") .. "/fqdn_authentication", headers, new_method())
  end
  if create then
    return wrk.format("POST", "/voip/trunk/" .. os.getenv("BENCH_TRUNK") .. "/auth", headers, new_method())
  end
  return paths[math.random(#paths)]
end

-- wrk reads bodies only where there is such a function.
if answered then
  function response(status, _, body)
    if status == 201 then answers:write(body:match('"label":%s*"([^"]*)"') or "none", "\n") end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %.1f %.3f %.3f %d %d\n",
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
