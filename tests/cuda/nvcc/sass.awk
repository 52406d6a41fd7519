# Of a disassembly by cuobjdump, its names demangled and made words (kernel_names.sed), prints a line for each kernel that has local memory,
# and for each on the tensor cores whose products are not those that its template arguments ask for, or a multiple: loops over
# taps, chunks and tiles are not unrolled in the source, but nvcc may do so; what is within them is. Of first layers, heads and depthwise
# ones also where no access has 16 bytes, of wgmma with halos as boxes (true as the last argument) where nothing copies boxes.
# -v show=1: prints the products of all kernels instead.

# Matrix products of a warp, or of a warpgroup.
function wanted_products(kernel, chip,   a, wide, sixteens) {
  if (!match(kernel, /<.*>/)) return 0
  split(substr(kernel, RSTART + 1, RLENGTH - 2), a, ",")
  wide = a[1] == "float" ? 2 : 1
  # Two steps of 32 bytes of channels; exact f32 has three products in a loop over these steps. Voxels, columns, warps along both.
  if (kernel ~ /^conv3d_mma_kernel/) return (a[2] / a[4] / 16) * (a[3] / a[5] / 8) * (a[6] == "true" ? 3 : 2)
  # The same for 128 voxels.
  if (kernel ~ /^conv3d_mma_sliced_kernel/) return (128 / a[3] / 16) * (a[2] / a[4] / 8) * (a[5] == "true" ? 3 : 2)
  # Two sixteens of pairs times eights of 64 columns, of two frequencies and of two sixteens of channels, for the inner and the outer ones.
  if (kernel ~ /^conv3d_winograd_mma_kernel/) return 2 * 8 * 2 * 2 * 2
  # Nine taps, of 16-bit types 32 x 16 channels, of f32 16 x 16.
  if (kernel ~ /^conv3d_mma_weights_kernel/) return 9 * 2 * (wide == 1 ? 2 : a[3] == "true" ? 3 : 1)
  # Four lines of 16 outputs times eights of columns.
  if (kernel ~ /^conv3d_thin_kernel/) return 4 * a[2]
  # Two sixteens of channels of gy times eights of elements, of f32 for either half of a line of 16 voxels.
  if (kernel ~ /^conv3d_thin_weights_kernel/) return 2 * a[2] * wide
  # Two sixteens of voxels, two halves of pieces, taps along D, eights of nine taps times outputs.
  if (kernel ~ /^conv3d_narrow_kernel/) return 2 * 2 * a[2] * int((9 * a[3] + 7) / 8)
  # Two halves of pieces of four pairs of chunks and sixteens of voxels, where they are normalised of two.
  if (kernel ~ /^conv3d_head_kernel/) return 2 * (a[3] == "true" ? 2 : 4)
  # Pairs of taps along W and the last one, for the taps along D of four rows and their taps along H, which of five and seven taps are a
  # loop around two rows.
  if (kernel ~ /^conv3d_depthwise_mma_kernel/) return int(a[3] / 2 + 1) * a[2] * (a[3] == 3 ? 4 * 3 : 2)
  # Of rows of gy and taps along D: for each tap along H pairs of taps along W, and the last ones of two taps along H at once.
  if (kernel ~ /^conv3d_depthwise_mma_weights_kernel/) return (a[3] == 3 ? 4 : 2) * a[2] * (a[3] * int(a[3] / 2) + int((a[3] + 1) / 2))
  if (chip !~ /^sm_90/) return 0
  # Two steps of a tap for each block of rows; parts of f32 in three products; of gradients of weights for the blocks of each warpgroup,
  # in a loop of its own.
  if (kernel ~ /^conv3d_wgmma_kernel/) return 2 * a[3] * (a[4] == 2 ? 3 : 1)
  if (kernel ~ /^conv3d_wgmma_lines_kernel/) return 2
  if (kernel ~ /^conv3d_wgmma_weights_kernel/) { second_loop = 2 * a[5]; return 2 * a[4] }
  return 0
}
# Whether they are what is wanted, or loops of them.
function are_wanted(products, wanted) {
  if (wanted == 0) return products == 0
  for (products -= second_loop; products > 0; products -= second_loop)
    if (products % wanted == 0) return 1
    else if (second_loop == 0) return 0
  return 0
}
function told(   wanted, wide) {
  if (kernel == "") return
  second_loop = 0
  wanted = wanted_products(kernel, chip)
  if (show) { if (wanted || products) print chip, kernel, products, wanted + second_loop; return }
  wide = kernel !~ /^conv3d_(thin_kernel<.*,4>|depthwise_mma_kernel|head_kernel)/ || (kernel ~ /head/ ? loads : stores) > 0
  if (!are_wanted(products, wanted) || spilled > 0 || !wide)
    print "  " chip " " kernel ": " products " of " wanted + second_loop " matrix products, " spilled " LDL and STL, " (wide ? "" : "no ") \
      "accesses of 16 bytes"
  if (kernel ~ /^conv3d_wgmma_(lines_|weights_)?kernel<.*,true>/ && chip ~ /^sm_90/ && boxes == 0)
    print "  " chip " " kernel ": copies no boxes"
}
/^arch =/ { told(); kernel = ""; chip = $3 }
/Function :/ { told(); kernel = $0; sub(/^[^:]*: */, "", kernel); products = spilled = boxes = loads = stores = 0 }
/[HG]MMA/ { ++products }
/UTMALDG/ { ++boxes }
/ (LDL|STL)[. ]/ { ++spilled }
/ LDG\.E\.128/ { ++loads }
/ STG\.E\.128/ { ++stores }
END { told() }
