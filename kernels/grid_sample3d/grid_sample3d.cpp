#include "kernels/grid_sample3d/grid_sample3d.h"

#include "core/autograd.h"
#include "kernels/grid_sample3d/grid_sample3d_kernels.h"

namespace voxgrad {

Tensor grid_sample3d(const Tensor& x, const Tensor& grid, const GridSample3dOptions& o) {
  check(x && x.shape().rank == 5 && is_floating(x.dtype()), "grid_sample3d: a floating {N, D, H, W, C} is wanted, not ", x);
  check(x.dim(1) > 0 && x.dim(2) > 0 && x.dim(3) > 0, "grid_sample3d: ", x, " has no voxels");
  check(grid && grid.shape().rank == 5 && grid.dim(0) == x.dim(0) && grid.dim(4) == 3 && grid.dtype() == accum_of(x.dtype()) &&
            grid.device() == x.device(),
        "grid_sample3d: the grid ", grid, " does not go with ", x, "; ", name_of(accum_of(x.dtype())), " {", x.dim(0),
        ", Z, P, Q, 3} is wanted");
  const Shape s = grid.shape().with(4, x.dim(4));
  const Int3 in = x.shape().spatial();
  const GridSample p{.n = x.dim(0),
                     .c = x.dim(4),
                     .points = s.count(1, 4),
                     .in = {in.d, in.h, in.w},
                     .nearest = o.mode == GridMode::nearest,
                     .border = o.padding == GridPadding::border,
                     .reflection = o.padding == GridPadding::reflection,
                     .align_corners = o.align_corners};
  Tensor y = Tensor::empty(s, x.dtype(), x.device());
  on_device(x.device(), [&](auto on) { grid_sample_forward(on, p, x.view(), grid.view(), y.view()); });
  const Tensor saved_x = grid.requires_grad() ? x.detach() : Tensor{};
  const char* const modes[] = {"bilinear", "nearest"};
  const char* const paddings[] = {"zeros", "border", "reflection"};
  const Op op = {"grid_sample3d",
                 {{"mode", modes[int(o.mode)]}, {"padding", paddings[int(o.padding)]}, {"align_corners", o.align_corners}}};
  return record(op, {x, grid}, y, [p, saved_x, grid = grid.detach(), shape = x.shape()](const Tensor& gy, Needs needs) {
    Tensor gx, ggrid;
    on_device(gy.device(), [&](auto on) {
      if (needs[0]) {
        gx = Tensor::empty(shape, gy.dtype(), gy.device());
        grid_sample_grad_x(on, p, grid.view(), gy.view(), gx.view());
      }
      if (needs[1]) {
        ggrid = Tensor::empty_like(grid);
        grid_sample_grad_grid(on, p, saved_x.view(), grid.view(), gy.view(), ggrid.view());
      }
    });
    return Grads{gx, ggrid};
  });
}

}  // namespace voxgrad
