-- Work for Lua: tables, strings, closures, coroutines, garbage, errors.
local function fibonacci(n) return n < 2 and n or fibonacci(n - 1) + fibonacci(n - 2) end
print("fibonacci", fibonacci(20))
local sieve, primes = {}, {}
for n = 2, 10000 do
    if not sieve[n] then primes[#primes + 1] = n; for m = n * n, 10000, n do sieve[m] = true end end
end
print("primes", #primes, primes[#primes])
local words = {}
for word in ("the rain in spain falls mainly in the plain"):gmatch("%a+") do words[word] = (words[word] or 0) + 1 end
local names = {}
for word in pairs(words) do names[#names + 1] = word end
table.sort(names)
for _, word in ipairs(names) do io.write(word, "=", words[word], " ") end
print()
local generator = coroutine.wrap(function() for i = 1, 5 do coroutine.yield(i * i) end end)
print("squares", generator(), generator(), generator())
for round = 1, 20 do
    local garbage = {}
    for i = 1, 5000 do garbage[i] = { i, tostring(i), string.rep("x", i % 50) } end
end
collectgarbage()
print("memory is small again", collectgarbage("count") < 2000)
print(select(2, pcall(function() error({ code = 42 }) end)).code)
print(select(2, pcall(function() return nil + 1 end)))
print(string.format("%5.2f %q %x", math.pi, "a\nb", 255), ("abc"):rep(3, "-"), #("x"):rep(1000000))
local file = assert(io.open("/tmp/lua-file", "w")); file:write("one\ntwo\n"); file:close()
for line in io.lines("/tmp/lua-file") do io.write(line, ";") end
print(os.remove("/tmp/lua-file"))
