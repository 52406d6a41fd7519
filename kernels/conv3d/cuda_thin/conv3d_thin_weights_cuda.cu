// The gradient of the weights of few input channels: {channels of gy} x {taps times channels of x} = the sum over voxels of gy times what a
// voxel reads of x (conv3d_thin.cuh). A block walks over tiles with gy of the next one on its way; its warps sum voxels of their own, and
// are added in their order at the end. With the roles changed it is the gradient of the weights of few output channels.
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda_thin/conv3d_thin.cuh"

namespace voxgrad {
namespace {

constexpr int kThinLines = 16, kThinVoxels = kThinLines * kThinWidth, kThinWarps = 8, kThinThreads = 32 * kThinWarps, kThinWide = 32;
constexpr int kThinShares = 264;  // of two for each multiprocessor of an H200
constexpr int kThinSides = kThinWide / 16;

VOXGRAD_HD constexpr int thin_sum_pitch(int eights) { return eights * 8 + 4; }
template <class T>
inline constexpr int kThinRows = kThinWide * int(sizeof(T)) / kSlot;  // slots of a voxel of the wide tensor

// Block x: shares of the tiles; y: 32 wide channels; z: 8 kEights kSides elements of taps times narrow channels, of which each of kSides
// warps in turn has its part. partial {shares, weights}.
template <class T, int kEights, int kSides, bool kNormalised>
__global__ void __launch_bounds__(kThinThreads, 2)
    conv3d_thin_weights_kernel(ConvGather g, ThinTile tile, int64_t tiles, ThinWeights at, int64_t weights, bool whole, const T* narrow,
                               GatherInput input, float* partial) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  constexpr int kRows = kThinRows<T>, kPerPiece = kPackWidth<T>, kRowBytes = kThinVoxels * kRows * kSlot;
  const int stage_bytes = kRowBytes + tile.words() * 4;
  ThinSlot* const slots = reinterpret_cast<ThinSlot*>(memory + 2 * stage_bytes);
  fill_slots(g, tile, slots);
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  const int side = warp % kSides, order = warp / kSides, elements = tile.units();
  const int wide0 = int(blockIdx.y) * kThinWide, element0 = (int(blockIdx.z) * kSides + side) * kEights * 8;
  // Lines of the tile in the wide tensor: elements from the first one, and outputs along D and H.
  int2* const lines = reinterpret_cast<int2*>(slots + tile.slots());
  if (threadIdx.x < kThinLines) {
    const int d = int(threadIdx.x) / tile.extent[1], h = int(threadIdx.x) % tile.extent[1];
    const int row = d * g.axis[0].step * g.axis[1].out + h * g.axis[1].step;
    lines[threadIdx.x] = make_int2(row * g.axis[2].out * g.outputs, d << 10 | h);
  }
  // This thread copies the same piece of the same place of a line, of lines so far apart.
  constexpr int kItems = kThinVoxels * kRows * 4 / kThinThreads, kApart = kThinLines / kItems;
  const int piece = int(threadIdx.x) % 4, slot = int(threadIdx.x) / 4 % kRows, k = wide0 + (slot * 4 + piece) * kPerPiece;
  const int place = int(threadIdx.x) / 4 / kRows % kThinWidth, line0 = int(threadIdx.x) / 4 / kRows / kThinWidth;
  const T* const wide = static_cast<const T*>(input.part[0].x);
  GatherNorm norms[kNormalised ? kPerPiece : 1];  // of this thread's channels, of a sample
  int64_t normed = -1;
  // f(place of a piece, line, whether it is in the volume) for the pieces of a tile that this thread copies.
  const auto for_pieces = [&](const int (&first)[3], const auto& f) {
    const int left[2] = {g.axis[0].count - first[0], g.axis[1].count - first[1]};
#pragma unroll
    for (int i = 0; i < kItems; ++i) {
      const int line = line0 + i * kApart;
      const int2 at = lines[line];
      f(row_place<T>(slot * kThinVoxels + line * kThinWidth + place, piece), at.x, at.y >> 10 < left[0] && (at.y & 1023) < left[1]);
    }
  };
  // Those that have arrived; whatever is not in the volume stays zero.
  const auto normalise = [&](int64_t index, unsigned char* rows) {
    int first[3];
    const int64_t n = tile_place(g, tile.extent, index, first);
    if (n != normed) {
      normed = n;
      const float* const of = input.part[0].coefficients + n * 3 * g.outputs;
#pragma unroll
      for (int e = 0; e < kPerPiece; ++e) norms[e] = k + e < g.outputs ? GatherNorm(of, g.outputs, k + e) : GatherNorm();
    }
    if (first[2] + place >= g.axis[2].count) return;
    for_pieces(first, [&](int at, int, bool here) {
      if (!here) return;
      T* const v = reinterpret_cast<T*>(rows + at);
      Pack<T, kPerPiece> pack = load_pack<kPerPiece>(v);
#pragma unroll
      for (int e = 0; e < kPerPiece; ++e) pack.v[e] = T(activated(norms[e](float(pack.v[e])), input.part[0].slope));
      store_pack(v, pack);
    });
  };
  const auto load = [&](int64_t index, int s) {
    int first[3];
    const int64_t n = tile_place(g, tile.extent, index, first);
    unsigned char* const rows = memory + s * stage_bytes;
    const T* const origin = wide + output_voxel(g, n, first, false) * g.outputs + place * g.axis[2].step * g.outputs + k;
    const int wanted = first[2] + place < g.axis[2].count ? g.outputs - k : 0;
    for_pieces(first, [&](int at, int ahead, bool here) { copy_piece(rows + at, origin + ahead, wide, here ? wanted : 0, whole); });
    load_thin_halo<T, true>(g, tile, slots, n, first, narrow, reinterpret_cast<uint32_t*>(rows + kRowBytes));
  };
  __syncthreads();

  // Words from what the first tap of a voxel reads to the element of this lane.
  int element_word[kEights];
#pragma unroll
  for (int j = 0; j < kEights; ++j) {
    const int wanted = element0 + j * 8 + thin_lane(lane, true).unit;
    element_word[j] = tile.word_of(wanted < elements ? wanted : elements - 1);
  }
  float sum[kThinSides][kEights][4] = {};
  if (blockIdx.x < tiles) load(blockIdx.x, 0);
  cp_async_commit();
  int s = 0;
  for (int64_t index = blockIdx.x; index < tiles; index += gridDim.x, s ^= 1) {
    if (index + gridDim.x < tiles) load(index + gridDim.x, s ^ 1);
    cp_async_commit();
    cp_async_wait<1>();
    if constexpr (kNormalised) normalise(index, memory + s * stage_bytes);
    __syncthreads();
    const unsigned char* const rows = memory + s * stage_bytes;
    const uint32_t* const words = reinterpret_cast<const uint32_t*>(rows + kRowBytes);
    for (int line = order; line < kThinLines; line += kThinWarps / kSides) {
      const int v = line * kThinWidth, first_word = tile.first_word(line);
      uint32_t a[kThinSides][4];
      if constexpr (sizeof(T) == 2) {
        const int row = v + lane / 16 * 8 + lane % 8 / 2 + lane % 2 * 4;  // pairs of an output and the fourth behind it
#pragma unroll
        for (int m = 0; m < kThinSides; ++m)
          ldmatrix_x4_transposed(a[m], SharedAddress(rows) + swizzled(row, 2 * m + lane / 8 % 2));
        const uint32_t* const from = words + first_word + thin_lane(lane, true).output;
#pragma unroll
        for (int j = 0; j < kEights; ++j) {
          const uint32_t b0 = from[element_word[j]], b1 = from[element_word[j] + 8];
#pragma unroll
          for (int m = 0; m < kThinSides; ++m) multiply_add<T>(sum[m][j], a[m], b0, b1);
        }
      } else {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const auto bits_at = [&](int m, int slot, int channel) {
            const unsigned char* const p = rows + row_place<T>(m * kThinVoxels + slot, channel / 4) + channel % 4 * 4;
            return tf32_of(*reinterpret_cast<const float*>(p));
          };
#pragma unroll
          for (int m = 0; m < kThinSides; ++m)
#pragma unroll
            for (int r = 0; r < 4; ++r) a[m][r] = bits_at(m, v + 8 * half + lane % 4 + r / 2 * 4, lane / 4 + r % 2 * 8);
          const uint32_t* const from = words + first_word + 8 * half + thin_lane(lane, true).output;
#pragma unroll
          for (int j = 0; j < kEights; ++j) {
            const uint32_t b0 = from[element_word[j]], b1 = from[element_word[j] + 4];
#pragma unroll
            for (int m = 0; m < kThinSides; ++m) multiply_add<T>(sum[m][j], a[m], b0, b1);
          }
        }
      }
    }
    __syncthreads();
  }
  cp_async_wait<0>();

  // {sides, wide channels, elements}: of eight elements the even ones come first, so that lanes add to different banks.
  constexpr int kElements = kEights * 8, kPitch = thin_sum_pitch(kEights);
  float* const total = reinterpret_cast<float*>(memory);
  for (int w = 0; w < kThinWarps / kSides; ++w) {
    if (order == w)
#pragma unroll
      for (int m = 0; m < kThinSides; ++m)
#pragma unroll
        for (int j = 0; j < kEights; ++j)
#pragma unroll
          for (int e = 0; e < 4; ++e) {
            float& into = total[(side * kThinWide + m * 16 + e / 2 * 8 + lane / 4) * kPitch + j * 8 + e % 2 * 4 + lane % 4];
            into = w == 0 ? sum[m][j][e] : into + sum[m][j][e];
          }
    __syncthreads();
  }
  for (int row = warp; row < kSides * kThinWide; row += kThinWarps)
    for (int e = lane; e < kElements; e += 32) {
      const int k = wide0 + row % kThinWide, element = (int(blockIdx.z) * kSides + row / kThinWide) * kElements + e;
      if (k >= g.outputs || element >= elements) continue;
      const ThinRead read = tile.read_of(element);
      partial[int64_t(blockIdx.x) * weights + at.first + k * at.wide + tile.tap_of(read) * at.tap + read.part * at.narrow] =
          total[row * kPitch + e / 8 * 8 + e % 2 * 4 + e % 8 / 2];
    }
}

int64_t thin_weights_shared(const ThinTile& t, int element) {
  return 2 * (kThinVoxels * kThinWide * int64_t(element) + t.word_bytes()) + t.slot_bytes() + kThinLines * 8;
}

// The tile of least halo; extent[0] is 0 where none fits.
ThinTile thin_weights_tile(const ConvGather& g, int element) {
  ThinTile best;
  for (int d = 1; d <= kThinLines; d *= 2) {
    ThinTile t = thin_tile(g, element, true, d, kThinLines / d);
    const auto cost = [&](const ThinTile& of) { return thin_tiles(g, of) * (of.parts * of.positions() + kThinVoxels); };
    const auto fits = [&] { return t.is_small() && thin_weights_shared(t, element) <= kMostThinShared; };
    if (!fits() || (best.extent[0] > 0 && cost(t) >= cost(best))) continue;
    spread_over_banks(t, true);
    if (fits()) best = t;
  }
  return best;
}

// The taps of a launch: all, or, where their halo is too large, those of one plane along D.
struct ThinSlices {
  ConvGather first;
  ThinTile tile;
  int count = 1;
};
ThinSlices thin_slices(const ConvGather& g, int element) {
  ThinSlices s{g, thin_weights_tile(g, element)};
  if (s.tile.extent[0] > 0 || g.axis[0].taps == 1) return s;
  s.first = first_slice(g, 1);
  return {s.first, thin_weights_tile(s.first, element), g.axis[0].taps};
}

}  // namespace

bool thin_weights_are_possible(const ConvGather& g, int element, bool sliced) {
  // Elements of a tile are counted in int.
  if (double(g.axis[0].in) * g.axis[1].in * g.axis[2].in * g.inputs > INT32_MAX || double(g.out_count()) * g.outputs > INT32_MAX)
    return false;
  return g.groups == 1 && g.inputs <= kMostThinInputs && g.taps >= 1 &&
         (sliced ? thin_slices(g, element).tile : thin_weights_tile(g, element)).extent[0] > 0;
}

// Sums of the blocks are written and read.
ConvTraffic thin_weights_traffic(const ConvGather& g, int element) {
  const auto [first, tile, slices] = thin_slices(g, element);
  const int64_t tiles = thin_tiles(g, tile), shares = tiles < kThinShares ? tiles : kThinShares;
  const int eights = (tile.units() + 7) / 8, parts = eights <= 14 ? 1 : (eights + 13) / 14,
            blocks = (g.outputs + kThinWide - 1) / kThinWide;
  const double weights = double(g.outputs) * g.taps * g.inputs * 4;
  const double channels = double(g.n) * g.inputs * element, narrow = g.halo_voxels(tile.extent) * channels;
  const double read = slices > 1 ? sliced_voxels(g, 1, tile.extent) * channels : narrow,
               wide = double(g.out_voxels()) * g.outputs * element;
  return {.activations = (read * blocks + wide * slices) * parts, .halos = narrow + wide, .others = weights * (2. * double(shares) + 1)};
}

template <class T>
void conv_weights_thin(Cuda on, const ConvGather& g, const ThinWeights& at, const T* narrow, const GatherInput& wide, float* gw) {
  const ThinSlices slices = thin_slices(g, sizeof(T));
  const ThinTile& tile = slices.tile;
  const int64_t tiles = thin_tiles(g, tile), weights = int64_t(g.outputs) * g.taps * g.inputs;
  const int64_t shares = tiles < kThinShares ? tiles : kThinShares;
  const Scratch partial(on, shares * weights * int64_t(sizeof(float)));
  const int eights = (tile.units() + 7) / 8;
  const auto go = [&]<int kEights, int kSides>(Width<kEights>, Width<kSides>) {
    constexpr int kAll = kEights * kSides;
    const int64_t shared = thin_weights_shared(tile, sizeof(T)), sums = int64_t(kSides) * kThinWide * thin_sum_pitch(kEights) * 4;
    const Grid grid{.x = shares, .y = (g.outputs + kThinWide - 1) / kThinWide, .z = (eights + kAll - 1) / kAll,
                    .threads = kThinThreads, .shared = shared > sums ? shared : sums};
    const bool whole = whole_pieces(g.outputs, static_cast<const T*>(wide.part[0].x));
    const auto run = [&]<bool kNormalised>(std::bool_constant<kNormalised>) {
      ConvGather of = slices.first;
      ThinWeights into = at;
      for (int d = 0; d < slices.count; ++d, of.axis[0].offset += of.axis[0].tap_step, into.first += of.taps * at.tap)
        launch<conv3d_thin_weights_kernel<T, kEights, kSides, kNormalised>>(on, grid, of, tile, tiles, into, weights, whole, narrow, wide,
                                                                            partial.as<float>());
    };
    if constexpr (kEights == 1)  // of heads alone (conv3d_reads_parts)
      if (wide.normalises()) return run(std::true_type{});
    run(std::false_type{});
  };
  if (eights == 1) go(Width<1>{}, Width<1>{});
  else if (eights <= 4) go(Width<4>{}, Width<1>{});
  else if (eights <= 7) go(Width<7>{}, Width<1>{});
  else go(Width<7>{}, Width<2>{});
  total_weights(on, weights, shares, partial.as<float>(), gw);
}

#define X(T) template void conv_weights_thin(Cuda, const ConvGather&, const ThinWeights&, const T*, const GatherInput&, float*);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
