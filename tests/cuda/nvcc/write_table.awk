# resources.txt from lines of ptxas.awk, of sm_80, sm_90a and sm_120.
{ kernels[$2]; of[$1, $2] = $3 "/" $4 }
END {
  print "# CUDA " cuda ": registers of a thread / bytes of shared memory of its own, at most. nvcc_check --write-table writes this file."
  print "kernel sm_80 sm_90a sm_120"
  sort = "LC_ALL=C sort"
  for (k in kernels) print k, of["sm_80", k], of["sm_90a", k], of["sm_120", k] | sort
  close(sort)
}
