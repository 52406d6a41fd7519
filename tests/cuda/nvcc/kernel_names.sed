# Kernels as one word each, without their namespaces and arguments, from what c++filt or the emulator's log says of them:
# conv3d_thin_kernel<bf16,4>.
s/\(anonymous namespace\)::|\{anonymous\}::|_GLOBAL__N__[A-Za-z0-9_]*:://g
s/voxgrad:://g
s/void ([A-Za-z0-9_:]+_kernel)/\1/g
s/>\([^']*\)/>/g
s/(_kernel)\([^']*\)/\1/g
:comma
s/(_kernel<[^ ]*), /\1,/
t comma
s/> >/>>/g
