"""Trains a YOLOv10-iRMB on canvases; may be stopped and started again at any time."""
import argparse
import time
from pathlib import Path

import numpy as np
import torch

from .checkpoint import calibrate, load_model
from .imitation import Imitation, Watched, imitation_loss
from .loss import student_loss
from .model import YoloV10Irmb, initialise
from .shards import Canvases
from .sources import CLASSES
from .teacher import SIZE


IMITATION = 5.0  # weight of the teacher's scores of all its classes


class Average:
    """Exponential moving average of a model's parameters and statistics."""

    def __init__(self, model, decay=0.998):
        self.decay, self.steps = decay, 0
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def update(self, model):
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value.detach(), 1 - decay)
            else:
                self.state[name].copy_(value)


def share_gradients(model, processes):
    """Replaces every process' gradients by their mean."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    torch.distributed.all_reduce(flat)
    flat /= processes
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients])):
        gradient.copy_(part.view_as(gradient))


def orthogonalise(matrix, bfloat16, rounds=5):
    """Newton-Schulz iteration of Muon (Jordan et al., 2024): singular values of a matrix brought
    near 1. bfloat16: multiply in that type, which suffices."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.bfloat16() if bfloat16 else matrix.float()
    x = x / (x.norm() + 1e-7)
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.T
    for _ in range(rounds):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum with orthogonalised updates, for the weights of dense convolutions."""

    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.0, bfloat16=False):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))
        self.bfloat16 = bfloat16

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                buffer.lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(buffer, group["momentum"]).flatten(1)
                update = orthogonalise(update, self.bfloat16)
                rows, columns = update.shape
                update *= max(1.0, rows / columns) ** 0.5
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update.view_as(p), alpha=-group["lr"])


def make_optimisers(model, name, lr, weight_decay, bfloat16=False):
    """AdamW alone, or Muon for the dense convolutions and AdamW for the rest."""
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    dense = [m.weight for m in convolutions
             if name == "muon" and m.bias is None and m.groups == 1 and m.in_channels > 3]
    taken = {id(p) for p in dense}
    others = [p for p in model.parameters() if p.requires_grad and id(p) not in taken]
    decayed = [p for p in others if p.dim() == 4]
    rest = [p for p in others if p.dim() != 4]
    adam = torch.optim.AdamW([dict(params=decayed, weight_decay=weight_decay),
                              dict(params=rest, weight_decay=0.0)], lr=lr, betas=(0.9, 0.98))
    if name != "muon":
        return [adam]
    dense = [p for p in dense if p.requires_grad]
    return [adam, Muon(dense, lr=10 * lr, weight_decay=weight_decay, bfloat16=bfloat16)]


def computes_bfloat16(device):
    """Whether a device multiplies in bfloat16, instead of converting to float32 first."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and "avx512_bf16" in cpuinfo.read_text()


def rate(step, steps, warmup=100, decay=0.4):
    """Learning rate of a step relative to its maximum: rise, plateau, linear fall."""
    fall = (steps - step) / max(1, decay * steps)
    return max(0.0, min(1.0, (step + 1) / warmup, fall))


def first_model(args, data):
    """A new model, or one to go on from."""
    if not args.start:
        return initialise(YoloV10Irmb(len(CLASSES), args.scale))
    model = load_model(args.start)
    if args.start.endswith(".onnx"):
        images = [data[i][0] for i in range(min(64, len(data)))]
        calibrate(model, [torch.stack(images[i:i + 8]).float() / 255
                          for i in range(0, len(images), 8)])
    return model


class Training:
    """A model, its optimisers and average, and how far they are."""

    def __init__(self, args, data, device):
        self.args, self.step = args, 0
        self.path = Path(args.output) / "checkpoint.pt"
        self.model = first_model(args, data).to(device, memory_format=torch.channels_last).train()
        for module in self.model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 0.03
        self.bfloat16 = computes_bfloat16(device) if args.bfloat16 is None else args.bfloat16
        self.imitation = Imitation(self.model).to(device) if args.imitate else None
        self.learned = torch.nn.ModuleList([self.model] + [self.imitation] * bool(args.imitate))
        self.optimisers = make_optimisers(self.learned, args.optimiser, args.lr, args.weight_decay,
                                          self.bfloat16)
        self.lrs = [[g["lr"] for g in o.param_groups] for o in self.optimisers]
        self.average = Average(self.model)
        if self.path.exists():
            self.restore(torch.load(self.path, map_location=device, weights_only=True))

    def restore(self, saved):
        self.model.load_state_dict(saved["model"])
        self.average.state, self.average.steps = saved["average"], saved["step"]
        self.step = saved["step"]
        imitated = saved.get("imitation")
        if bool(imitated) != bool(self.imitation):
            raise ValueError(f"{self.path}: was trained {'with' if imitated else 'without'} "
                             "--imitate; go on so, or begin elsewhere with --start")
        if imitated:
            self.imitation.load_state_dict(imitated)
        for optimiser, state in zip(self.optimisers, saved["optimisers"]):
            optimiser.load_state_dict(state)

    def save(self):
        """Writes the checkpoint so that a kill leaves either the old or the new one."""
        partial = self.path.with_suffix(".partial")
        torch.save(dict(model=self.model.state_dict(), average=self.average.state, step=self.step,
                        optimisers=[o.state_dict() for o in self.optimisers],
                        imitation=self.imitation.state_dict() if self.imitation else None,
                        scale=self.args.scale), partial)
        partial.rename(self.path)

    def learn(self, batch):
        """One step on a batch of Canvases; returns the parts of the loss."""
        device = next(self.model.parameters()).device
        batch = [x.to(device, non_blocking=True) for x in batch]
        image = batch[0].to(memory_format=torch.channels_last).float() / 255
        with torch.autocast(device.type, torch.bfloat16, enabled=self.bfloat16):
            outputs = self.model.training_outputs(image, self.imitation)
        loss, parts = student_loss(outputs[:3], batch[:5], self.args.one_to_one)
        if self.imitation:
            missed, boxes = imitation_loss(outputs[3], outputs[0], *batch[5:])
            loss = loss + IMITATION * missed + boxes
            parts |= {"missed": missed.item(), "seen": boxes.item()}
        loss.backward()
        if self.args.processes > 1:
            share_gradients(self.learned, self.args.processes)
        torch.nn.utils.clip_grad_norm_(self.learned.parameters(), 10.0)
        relative = rate(self.step, self.args.steps)
        for optimiser, lrs in zip(self.optimisers, self.lrs):
            for group, lr in zip(optimiser.param_groups, lrs):
                group["lr"] = lr * relative
            optimiser.step()
            optimiser.zero_grad()
        self.average.update(self.model)
        self.step += 1
        return parts


class Log:
    """Prints the mean of the losses now and then."""

    def __init__(self, every):
        self.every, self.sums, self.count, self.began = every, {}, 0, time.monotonic()

    def add(self, step, parts):
        self.count += 1
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        if step % self.every == 0:
            means = " ".join(f"{k} {v / self.count:.3f}" for k, v in self.sums.items())
            pace = (time.monotonic() - self.began) / self.count
            print(f"step {step} {means} {pace:.2f} s/step", flush=True)
            self.__init__(self.every)


def batches_of(data, watched, step, args, rank):
    """The rest of the epoch that `step` falls in: the batches of one process, from the canvases
    `data` or from `watched`, the same ones Watched."""
    together = args.batch * args.processes
    data.epoch, start = divmod(step * together, len(data) // together * together)
    order = np.random.default_rng((args.seed, data.epoch)).permutation(len(data))[start:]
    batches = [order[i + rank:i + together:args.processes].tolist()
               for i in range(0, len(order) - together + 1, together)]
    return torch.utils.data.DataLoader(watched, batch_sampler=batches, num_workers=args.workers)


def train(args, rank=0):
    torch.manual_seed(args.seed)
    device = torch.device(args.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.processes > 1:
        torch.distributed.init_process_group("gloo", init_method=f"file://{args.meeting}",
                                             rank=rank, world_size=args.processes)
    data = Canvases(args.canvases, args.size, args.seed)
    if args.imitate and args.size != SIZE:
        raise ValueError(f"--imitate shows the teacher whole canvases: add --size {SIZE}")
    if len(data) < args.batch * args.processes:
        raise ValueError(f"{args.canvases}: {len(data)} canvases are fewer than a batch")
    training, log = Training(args, data, device), Log(args.log_every)
    watched = Watched(data, args.imitate) if args.imitate else data
    if rank == 0:
        print(f"{len(data)} canvases, from step {training.step} on, {device}", flush=True)
    saved_at = time.monotonic()
    while training.step < args.steps:
        for batch in batches_of(data, watched, training.step, args, rank):
            parts = training.learn(batch)
            done = training.step == args.steps
            if rank == 0:
                log.add(training.step, parts)
            if rank == 0 and (done or time.monotonic() - saved_at > args.save_minutes * 60):
                training.save()
                saved_at = time.monotonic()
            if done:
                break


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--canvases", required=True, help="folder of shards")
    parser.add_argument("--output", required=True, help="folder of the checkpoint")
    parser.add_argument("--scale", default="n", choices=("n", "s"),
                        help="size of a new model, as of YOLOv10n or YOLOv10s")
    parser.add_argument("--start", help="checkpoint.pt or exported ONNX to begin with; default: "
                                        "random weights")
    parser.add_argument("--steps", type=int, default=8000,
                        help="steps in all, those of a checkpoint included; default: %(default)s")
    parser.add_argument("--batch", type=int, default=8,
                        help="crops a step and process; default: %(default)s")
    parser.add_argument("--size", type=int, default=320, help="pixels of a crop, a multiple of 32")
    parser.add_argument("--optimiser", default="muon", choices=("adamw", "muon"),
                        help="muon: dense convolutions with Muon, the rest with AdamW; "
                             "adamw: all with AdamW; default: %(default)s")
    parser.add_argument("--lr", type=float, default=2e-3,
                        help="highest learning rate, of AdamW; Muon's is ten times it; "
                             "default: %(default)s")
    parser.add_argument("--weight-decay", type=float, default=0.02,
                        help="decay of the convolutions' weights; default: %(default)s")
    parser.add_argument("--one-to-one", default="teacher", choices=("teacher", "assigned"),
                        help="what the one-to-one scores learn: the teacher's scores, or one "
                             "anchor for each object; default: %(default)s")
    parser.add_argument("--imitate", metavar="TEACHER",
                        help="the teacher's ONNX: learn its scores of all classes and its boxes, "
                             "too; needs --size 640, and --workers 1 or more to not wait for it")
    parser.add_argument("--bfloat16", action=argparse.BooleanOptionalAction,
                        help="default: where the device computes in it")
    parser.add_argument("--device", help="cpu or cuda; default: a GPU where there is one")
    parser.add_argument("--processes", type=int, default=1,
                        help="train in this many processes on a CPU, each with its own batch")
    parser.add_argument("--threads", type=int, default=0,
                        help="threads of a process; default: what PyTorch takes")
    parser.add_argument("--workers", type=int, default=0,
                        help="more processes, which prepare crops; default: the training does it")
    parser.add_argument("--log-every", type=int, default=20,
                        help="steps between two lines of losses; default: %(default)s")
    parser.add_argument("--save-minutes", type=float, default=4,
                        help="minutes between two checkpoints; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1,
                        help="seed of weights, crops and their order; default: %(default)s")
    args = parser.parse_args(arguments)
    Path(args.output).mkdir(parents=True, exist_ok=True)
    args.meeting = (Path(args.output) / "meeting").resolve()
    args.meeting.unlink(missing_ok=True)
    context = torch.multiprocessing.get_context("fork")
    # Not daemons, which may not have workers that load data; they fail when this process is gone.
    others = [context.Process(target=train, args=(args, rank)) for rank in range(1, args.processes)]
    for other in others:
        other.start()
    train(args)


if __name__ == "__main__":
    main()
