#!/usr/bin/env python3
"""PyTorch doing the work of voxgrad_bench's cases, for benchmarks/compare: pytorch.py [cpu | cuda | cuda:N].

Reads one JSON request per line from standard input and answers each with one line:
  {"do": "list"}                                                 {"machine": {..}}
  {"do": "prepare", "work", "dtype", "threads", "contenders"?}   {"contenders": [who, ..]}; "contenders" limits them
  {"do": "run", "who", "repeat"}                                 {"seconds": [..]}, of the prepared work
  {"do": "facts"}                                                {..}
  {"do": "drop"}                                                 {}
A request that cannot be met is answered {"error": text}. `work` is the description that voxgrad_bench gives of a case.

Contenders: "pytorch" (contiguous) and "pytorch channels_last"; for networks each of them also " compiled", and on a GPU " compiled graph",
where the whole run is one CUDA graph: PyTorch's best mode. On a GPU cuDNN tries its algorithms first (torch.backends.cudnn.benchmark),
and all runs of a request are queued between two waits, as voxgrad_bench does.
"""
import gc
import json
import re
import sys
import time
import warnings

import torch

import torch_convnext
import torch_densenet
import torch_ops
import torch_resnet
import torch_unet

LAYOUTS = {"": torch.contiguous_format, " channels_last": torch.channels_last_3d}
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def graphed(run):
    """The run as one CUDA graph, recorded behind runs that compile, choose algorithms and take the optimizer's memory."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def contenders_of(work, dtype, on_gpu=False):
    """Maker of each contender's run, by its name; empty where PyTorch has no such op."""
    networks = {"unet_step": torch_unet.step, "unet_inference": torch_unet.inference, "resnet_step": torch_resnet.step,
                "resnet_inference": torch_resnet.inference, "densenet_step": torch_densenet.step,
                "densenet_inference": torch_densenet.inference, "convnext_step": torch_convnext.step,
                "convnext_inference": torch_convnext.inference}
    if build := networks.get(work["op"]):
        makers = {
            "pytorch" + layout + (" compiled" if compiled else ""): (lambda m=form, c=compiled: build(work, dtype, m, c))
            for compiled in (False, True)
            for layout, form in LAYOUTS.items()
        }
        if on_gpu:

            def recorded(form):
                run, facts = build(work, dtype, form, True)
                return graphed(run), facts

            makers |= {f"pytorch{layout} compiled graph": (lambda m=form: recorded(m)) for layout, form in LAYOUTS.items()}
        return makers
    build = torch_ops.builder(work)
    return {"pytorch" + layout: (lambda m=form: build(work, dtype, m)) for layout, form in LAYOUTS.items()} if build else {}


class Server:
    def __init__(self, device):
        self.device = torch.device(device)
        self.makers, self.runs, self.facts = {}, {}, {}

    def answer(self, request):
        what = request["do"]
        if what == "list":
            found = re.search(r"(?:MKL-DNN|oneDNN) v([\d.]+)", torch.__config__.show())
            machine = {"pytorch": torch.__version__, "pytorch_onednn": found.group(1) if found else ""}
            if self.device.type == "cuda":
                machine |= {"pytorch_cuda": torch.version.cuda, "pytorch_cudnn": torch.backends.cudnn.version()}
                machine["pytorch_tf32"] = torch.backends.cudnn.allow_tf32
            return {"machine": machine}
        if what == "prepare":
            self.drop()
            torch.set_num_threads(request["threads"])
            self.makers = contenders_of(request["work"], DTYPES[request["dtype"]], self.device.type == "cuda")
            if "contenders" in request:
                self.makers = {who: make for who, make in self.makers.items() if who in request["contenders"]}
            return {"contenders": list(self.makers)}
        if what == "run":
            return {"seconds": self.time(request["who"], request["repeat"])}
        if what == "facts":
            return {key: value() for key, value in self.facts.items()}
        if what == "drop":
            return self.drop()
        raise ValueError(f'"{what}" is no request')

    def time(self, who, repeat):
        if who not in self.runs:
            self.runs[who], self.facts = self.makers[who]()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
            start = time.perf_counter()
            for _ in range(repeat):
                self.runs[who]()
            torch.cuda.synchronize()
            return [(time.perf_counter() - start) / repeat] * repeat
        seconds = []
        for _ in range(repeat):
            start = time.perf_counter()
            result = self.runs[who]()
            seconds.append(time.perf_counter() - start)
            del result
        return seconds

    def drop(self):
        self.makers, self.runs, self.facts = {}, {}, {}
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return {}


def main():
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    torch.set_default_device(device)
    torch.backends.cudnn.benchmark = True
    server = Server(device)
    for line in sys.stdin:
        try:
            reply = server.answer(json.loads(line))
        except Exception as e:
            reply = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    main()
