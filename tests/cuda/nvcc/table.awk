# Prints a line for each kernel of ptxas.awk's that takes more than its line of resources.txt (-v table=..) says, or has none there.
BEGIN {
  while ((getline < table) > 0) {
    if ($1 == "#") continue
    if ($1 == "kernel") { for (i = 2; i <= NF; ++i) chip[i] = $i; continue }
    for (i = 2; i <= NF; ++i) most[chip[i], $1] = $i
  }
  for (i in chip) known[chip[i]] = 1
}
known[$1] {
  if (!(($1, $2) in most)) { print "  " $1 " " $2 " has no line in resources.txt"; next }
  split(most[$1, $2], of, "/")
  if ($3 > of[1] || $4 > of[2])
    print "  " $1 " " $2 ": " $3 " registers and " $4 " bytes of shared memory, where resources.txt has " of[1] " and " of[2]
}
