# Work for busybox's ash and its applets: loops, pipes, files, text, archives.
echo "hello from ash"
number=0
while [ $number -lt 5 ]; do number=$((number + 1)); echo "line $number"; done | sort -r | head -3
for letter in a b c; do echo $letter; done | tr a-z A-Z | wc -c
fibonacci() { [ $1 -lt 2 ] && echo $1 || echo $(($(fibonacci $(($1 - 1))) + $(fibonacci $(($1 - 2))))); }
fibonacci 9
mkdir -p /tmp/ash && cd /tmp/ash || exit 1
printf 'one two three\nfour five six\n' >text
awk '{ sum += NF; print $2 } END { print sum }' text
sed -e 's/two/2/' -e '/six/d' text
grep -c o text; cut -d' ' -f3 text; wc text
seq 1 20000 | sha256sum
seq 1 5000 | md5sum
cp text copy; mv copy moved; ls; cmp text moved && echo same
find . -type f | sort; du -k text | cut -f1
tar cf archive.tar text moved && tar tf archive.tar
gzip -c text | gunzip; bzip2 -c text 2>/dev/null | bunzip2
od -c text | head -2; hexdump -C text | head -1
seq 1 300 | xargs -n 50 echo | wc -l
cat <<END
a here document with $((6 * 7))
END
(exit 3); echo "status $?"
sleep 0; sh -c 'kill -9 $$'; echo "status $?"
trap 'echo "caught"' USR1; kill -USR1 $$
seq 1 3 | while read -r value; do echo "read $value"; done
expr 7 \* 6; basename /a/b/c.txt .txt; dirname /a/b/c
dd if=/dev/zero of=zeros bs=1k count=64 2>/dev/null; wc -c <zeros; cksum zeros
sort -n <<END | uniq -c
3
1
3
2
END
cd /; rm -r /tmp/ash; ls -d /tmp/ash 2>/dev/null || echo "gone"
