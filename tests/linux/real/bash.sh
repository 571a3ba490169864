# Work for bash: arrays, arithmetic, substitution, functions, pipes, jobs, signals.
declare -A ages=([ann]=31 [bob]=27); for name in $(printf '%s\n' "${!ages[@]}" | LC_ALL=C /bin/busybox sort); do echo "$name is ${ages[$name]}"; done
words=(alpha beta gamma "delta epsilon"); echo "${#words[@]} ${words[3]} ${words[@]:1:2}"
text="the quick brown fox"; echo "${text^^} ${text//o/0} ${#text} ${text:4:5} ${text%% *}"
for ((i = 0, sum = 0; i < 1000; i++)); do ((sum += i * i)); done; echo "$sum $((2 ** 40)) $((0xff & 0x3c))"
primes=(); for ((n = 2; ${#primes[@]} < 30; n++)); do for p in "${primes[@]}"; do ((n % p == 0)) && continue 2; done; primes+=("$n"); done; echo "${primes[*]}"
greet() { local who=$1; echo "hello $who"; return 7; }; greet world; echo "status $?"
[[ "abc123" =~ ^([a-z]+)([0-9]+)$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
case "file.tar" in *.zip) echo zip ;; *.tar) echo tar ;; esac
echo "$(echo inner $(echo innermost))"; printf '%05d|%-6s|%x\n' 42 ab 255
mapfile -t lines < <(printf '1\n2\n3\n'); echo "${lines[2]}${lines[0]}"
while read -r a b; do echo "$b $a"; done <<<"first second"
echo {1..5} {a..e..2} pre{x,y}post
(/bin/busybox sleep 0 & wait; echo "waited") ; /bin/busybox seq 1 2000 | { count=0; while read -r line; do ((count++)); done; echo "$count lines"; }
trap 'echo "caught USR1"' USR1; kill -USR1 $$; trap 'echo "at exit"' EXIT
set -o pipefail; /bin/busybox false | /bin/busybox true; echo "pipe status $?"
exec 5>/tmp/bash-out; echo "to five" >&5; exec 5>&-; echo "$(</tmp/bash-out)"; /bin/busybox rm /tmp/bash-out
[ -e /no/such ] || echo "no such file"; { (kill -SEGV $BASHPID); } 2>/dev/null; echo "status $?"
big=$(printf 'x%.0s' {1..20000}); echo "${#big}"; exit 5
