# Sourced by the scripts that drive the program. They set $program and $scratch; a failed check prints what was seen.
passed=0 failed=0
verdict() {  # NAME STATUS
  if [[ $2 -eq 0 ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $1"; fi
}

# Holds the last run, whose status is given and whose output lies in $scratch/output and $scratch/errors, against the status wanted and
# words of its output, which are extended regular expressions. A failure says why in exactly $messages lines (1) "voxgrad: ...".
judge() {  # NAME STATUS WANTED WORDS...
  local name=$1 status=$2 wanted=$3 word ok=0
  shift 3
  [[ $status -eq $wanted ]] || { ok=1; echo "exit status $status instead of $wanted"; }
  for word in "$@"; do
    grep -qE -- "$word" "$scratch/output" "$scratch/errors" || { ok=1; echo "no \"$word\" in the output"; }
  done
  if [[ $wanted -ne 0 && $(grep -c '^voxgrad: ' "$scratch/errors") -ne ${messages:-1} ]]; then
    ok=1
    echo "not ${messages:-1} messages of the form voxgrad: ..."
  fi
  [[ $ok -eq 0 ]] || head -n 20 "$scratch/output" "$scratch/errors"
  verdict "$name" $ok
}
expect() {  # NAME STATUS WORDS... -- ARGUMENTS...
  local name=$1 wanted=$2 words=()
  shift 2
  while [[ $1 != -- ]]; do words+=("$1"); shift; done
  shift
  "$program" "$@" >"$scratch/output" 2>"$scratch/errors"
  judge "$name" $? "$wanted" "${words[@]}"
}

# The same with the folder `disk` on a disk of so many KiB, of which all that is left is copied to `left`. Where this machine lets nobody
# mount one, no file may grow beyond that size instead.
expect_on_disk() {  # KIB NAME STATUS WORDS... -- ARGUMENTS...
  local kib=$1 name=$2 wanted=$3 words=() status
  shift 3
  while [[ $1 != -- ]]; do words+=("$1"); shift; done
  shift
  rm -rf disk left
  mkdir disk
  if unshare -rm mount -t tmpfs none disk 2>/dev/null; then
    unshare -rm bash -c 'mount -t tmpfs -o size=$0k none disk && "$@" >output 2>errors; status=$?; cp -r disk left; exit $status' \
      "$kib" "$program" "$@"
    status=$?
  else
    (trap '' XFSZ; ulimit -f "$kib"; exec "$program" "$@" >output 2>errors)
    status=$?
    cp -r disk left
  fi
  judge "$name" $status "$wanted" "${words[@]}"
}

patch_bytes() {  # FILE OFFSET BYTES (as of printf)
  printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
patch_packed() {  # FILE.gz OFFSET BYTES: the same inside
  gunzip -c "$1" >unpacked
  patch_bytes unpacked "$2" "$3"
  gzip -1c unpacked >"$1"
}

finish() {
  echo "$passed passed, $failed failed"
  [[ $failed -eq 0 ]]
  exit
}
