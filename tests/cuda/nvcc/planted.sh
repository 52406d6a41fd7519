# Logs and disassemblies with planted faults, which nvcc_check has to see, and without. Included by it.
expect_lines() {  # NAME LINES WANTED
  if [[ $2 -eq $3 ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $1: $2, not $3"; fi
}

# Of ptxas, for a kernel with this mangled name.
planted_log() {  # KERNEL REGISTERS LOCAL SHARED
  printf "ptxas info    : Compiling entry function '%s' for 'sm_80'\n" "$1"
  printf '    %d bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n' "$3"
  printf 'ptxas info    : Used %d registers, used 1 barriers, %d bytes smem, 400 bytes cmem[0]\n' "$2" "$4"
}
beyond_limits() { planted_log "$@" >"$scratch/planted" && usage_of "$scratch/planted" | awk -f "$here/limits.awk" | wc -l; }
mma=_ZN7voxgrad12_GLOBAL__N_117conv3d_mma_kernelIfLi64ELi64ELi2ELi2ELb0EEEvPKT_ mma_word='conv3d_mma_kernel<float,64,64,2,2,false>'
rows=_ZN7voxgrad18conv3d_rows_kernelIfEEvPKT_
expect_lines "no local memory" "$(beyond_limits $mma 168 0 0)" 0
expect_lines "planted local memory" "$(beyond_limits $mma 168 8 0)" 1
expect_lines "planted local memory of ordinary cores" "$(beyond_limits $rows 40 8 0)" 1
expect_lines "planted registers" "$(beyond_limits $mma 170 0 0)" 1
expect_lines "registers of exact f32" "$(beyond_limits ${mma/Lb0/Lb1} 170 0 0)" 0
expect_lines "planted shared memory" "$(beyond_limits $mma 168 0 64)" 1
expect_lines "shared memory within its limit" "$(beyond_limits $rows 40 0 64)" 0

beyond_table() {  # SHARED
  planted_log $mma 100 0 "$1" >"$scratch/planted"
  usage_of "$scratch/planted" | awk -v table="$scratch/table" -f "$here/table.awk" | wc -l
}
printf '# CUDA\nkernel sm_90a sm_80\n%s 90/0 100/16\n' "$mma_word" >"$scratch/table"
expect_lines "as much as the table has" "$(beyond_table 16)" 0
expect_lines "more than it has" "$(beyond_table 17)" 1
sed -i 's|100/16|99/16|' "$scratch/table"
expect_lines "one register more than it has" "$(beyond_table 16)" 1
sed -i 's/^conv3d_mma_kernel<float/conv3d_mma_kernel<bf16/' "$scratch/table"
expect_lines "a kernel that it lacks" "$(beyond_table 16)" 1

planted_sass() {  # CHIP KERNEL PRODUCTS INSTRUCTION ..
  printf 'arch = %s\n\t\tFunction : %s\n' "$1" "$2"
  for ((i = 0; i < $3; ++i)); do echo ' HMMA.16816 ;'; done
  shift 3
  [[ $# -eq 0 ]] || printf ' %s ;\n' "$@"
}
wrong() { planted_sass "$@" | sass_lines | awk -f "$here/sass.awk" | wc -l; }
expect_lines "products of mma" "$(wrong sm_80 $mma 16)" 0
expect_lines "too few of them" "$(wrong sm_80 $mma 15)" 1
expect_lines "a loop of them that is unrolled" "$(wrong sm_80 $mma 32)" 0
expect_lines "half of one more" "$(wrong sm_80 $mma 24)" 1
expect_lines "none" "$(wrong sm_80 $mma 0)" 1
expect_lines "products where there are none" "$(wrong sm_80 $rows 1)" 1
expect_lines "products of exact f32" "$(wrong sm_80 ${mma/Lb0/Lb1} 24)" 0
expect_lines "planted LDL" "$(wrong sm_80 $mma 16 'LDL.64 R1, [R2]')" 1
expect_lines "planted STL of ordinary cores" "$(wrong sm_80 $rows 0 'STL [R1], R3')" 1
expect_lines "ordinary cores" "$(wrong sm_80 $rows 0 'FFMA R1, R2, R3, R4')" 0
thin=_ZN7voxgrad18conv3d_thin_kernelIfLi4EEEvPKT_
expect_lines "outputs of 16 bytes" "$(wrong sm_80 $thin 16 'STG.E.128 desc[UR6][R2.64], R4')" 0
expect_lines "outputs of 4 bytes" "$(wrong sm_80 $thin 16 'STG.E desc[UR6][R2.64], R4')" 1
depthwise=_ZN7voxgrad27conv3d_depthwise_mma_kernelIfLi3ELi3EEEvPKT_
expect_lines "products of depthwise taps" "$(wrong sm_90a $depthwise 72 'STG.E.128 desc[UR6][R2.64], R4')" 0
expect_lines "too few of these" "$(wrong sm_90a $depthwise 71 'STG.E.128 desc[UR6][R2.64], R4')" 1
wgmma=_ZN7voxgrad19conv3d_wgmma_kernelIfLi32ELi2ELi1ELb0EEEvPKT_
expect_lines "products of a warpgroup" "$(wrong sm_90a $wgmma 4)" 0
expect_lines "too few of a warpgroup" "$(wrong sm_90a $wgmma 3)" 1
expect_lines "no copies of boxes" "$(wrong sm_90a ${wgmma/Lb0/Lb1} 4)" 1
expect_lines "copies of boxes" "$(wrong sm_90a ${wgmma/Lb0/Lb1} 4 'UTMALDG.5D [UR8], [UR6]')" 0
expect_lines "nothing of it elsewhere" "$(wrong sm_80 ${wgmma/Lb0/Lb1} 0)" 0
weights=_ZN7voxgrad27conv3d_wgmma_weights_kernelIfLi32ELi1ELi3ELi2ELb0EEEvPKT_
expect_lines "products of two warpgroups" "$(wrong sm_90a $weights 10)" 0
expect_lines "products of two, of which one unrolls its loop" "$(wrong sm_90a $weights 18)" 0
expect_lines "products of one" "$(wrong sm_90a $weights 6)" 1
