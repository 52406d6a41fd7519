# Of the log of ptxas -v, its names demangled and made words (kernel_names.sed), one line for each kernel and chip:
#   CHIP KERNEL REGISTERS SHARED LOCAL
# bytes of shared memory of its own, and of local memory: its stack frame or what is spilled, whichever is more.
/Compiling entry function/ {
  split($0, word, "'")
  kernel = word[2]
  chip = word[4]
  gsub(/ /, "", kernel)
  spilled = 0
}
/bytes stack frame/ {
  for (i = 1; i < NF; ++i)
    if ($(i + 1) == "bytes" && $i + 0 > spilled) spilled = $i + 0
}
/Used [0-9]+ registers/ {
  shared = 0
  for (i = 3; i <= NF; ++i) {
    if ($i == "Used") registers = $(i + 1)
    if ($i ~ /^smem/) shared = $(i - 2)
  }
  print chip, kernel, registers, shared, spilled
}
