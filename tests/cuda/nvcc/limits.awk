# Prints a line for each kernel of ptxas.awk's that takes more than the blocks it is made for leave it, whatever resources.txt says.

# Registers of a thread, at most, so that these blocks fit a multiprocessor.
function most_registers(kernel) {
  if (kernel ~ /^conv3d_thin_/) return 128  # two of 256 threads
  if (kernel ~ /^conv3d_depthwise_gradient_kernel/) return 128
  if (kernel ~ /^conv3d_depthwise_(weights_)?kernel.*DepthwiseTaps<[^>]*[57]/) return 216  # one, whose taps take longer than its bytes
  if (kernel ~ /^conv3d_depthwise_(weights_)?kernel/) return 128
  if (kernel ~ /^conv3d_depthwise_mma.*,[57]>$/) return 216
  if (kernel ~ /^conv3d_depthwise_/) return 128
  if (kernel ~ /^conv3d_narrow_kernel.*,3,4>$/) return 200  # one of 192, by its sums
  if (kernel ~ /^conv3d_narrow_/) return 168  # two of 192
  if (kernel ~ /^conv3d_head_.*,true>$/) return 128  # two of 256, which normalise
  if (kernel ~ /^conv3d_head_/) return 80  # three of 256, so that enough loads are under way
  if (kernel ~ /^conv3d_winograd_mma_/) return 248  # two of 128
  if (kernel ~ /^conv3d_mma_weights_/) return 248  # two of 128
  if (kernel ~ /^conv3d_mma_(sliced_)?kernel.*,true>$/) return 248  # the same
  if (kernel ~ /^conv3d_(w?g?mma)_/) return 168  # two of 160 or 128 threads to 256, three of 128, one of 384
  return 255
}
# Bytes of shared memory of its own: none where a plan places everything in dynamic shared memory, of which it takes all there is, the sums
# of 27 taps of a block of rows, and 16 KiB elsewhere.
function most_shared(kernel) {
  if (kernel ~ /^conv3d_(w?g?mma|winograd_mma|thin|narrow|head|depthwise)_/) return 0
  return kernel ~ /^conv3d_rows_weights_kernel/ ? 27648 : 16384
}
{
  if ($3 > most_registers($2)) print "  " $1 " " $2 ": " $3 " registers, of " most_registers($2)
  if ($4 > most_shared($2)) print "  " $1 " " $2 ": " $4 " bytes of shared memory, of " most_shared($2)
  if ($5 > 0) print "  " $1 " " $2 ": " $5 " bytes of local memory"
}
