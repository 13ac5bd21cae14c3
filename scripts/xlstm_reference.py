"""The xLSTM "large" language model in PyTorch, written for reading and for training on a CPU.

One `forward` serves every use: a chunk of ids in, logits and the new state out. Training feeds windows of 256 ids,
decoding feeds one id at a time; `mlstm_chunkwise` and `mlstm_step` are the two forms of the same recurrence
(Beck et al., "xLSTM: Extended Long Short-Term Memory", 2024, and "xLSTM 7B", 2025).

Shapes: B batch, T time, H hidden, N heads, K query/key width per head, V value width per head.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class XlstmConfig:
    """The fields of config.json that decide the shapes and the arithmetic."""

    vocab_size: int = 2048
    hidden_size: int = 256
    num_hidden_layers: int = 4
    num_heads: int = 4
    qk_dim_factor: float = 0.5
    v_dim_factor: float = 1.0
    ffn_proj_factor: float = 2.0
    ffn_round_up_to_multiple_of: int = 64
    gate_soft_cap: float = 15.0
    output_logit_soft_cap: float = 30.0
    norm_eps: float = 1e-6
    eps: float = 1e-6

    @property
    def qk_dim(self) -> int:
        return int(self.hidden_size * self.qk_dim_factor)

    @property
    def v_dim(self) -> int:
        return int(self.hidden_size * self.v_dim_factor)

    @property
    def ffn_dim(self) -> int:
        multiple = self.ffn_round_up_to_multiple_of
        return int((self.hidden_size * self.ffn_proj_factor + multiple - 1) // multiple * multiple)


class State(NamedTuple):
    """The state of one layer. `m` is the running maximum that keeps the exponential gates in range."""

    c: Tensor  # [B, N, K, V]
    n: Tensor  # [B, N, K]
    m: Tensor  # [B, N]

    def detach(self) -> "State":
        return State(self.c.detach(), self.n.detach(), self.m.detach())


def soft_cap(x: Tensor, cap: float) -> Tensor:
    return cap * torch.tanh(x / cap)


def mlstm_step(q: Tensor, k: Tensor, v: Tensor, i: Tensor, f: Tensor, state: State, eps: float):
    """One step. q, k [B,N,K]; v [B,N,V]; gate pre-activations i, f [B,N]. Returns h [B,N,V], State."""
    log_f = F.logsigmoid(f)
    m = torch.maximum(log_f + state.m, i)
    forget = torch.exp(log_f + state.m - m)
    write = torch.exp(i - m)
    c = forget[..., None, None] * state.c + write[..., None, None] * k[..., :, None] * v[..., None, :]
    n = forget[..., None] * state.n + write[..., None] * k
    q = q * q.shape[-1] ** -0.5
    num = (q[..., None, :] @ c).squeeze(-2)  # [B,N,V]
    den = (q * n).sum(-1)  # [B,N]
    h = num / (torch.maximum(den.abs(), torch.exp(-m)) + eps)[..., None]
    return h, State(c, n, m)


def mlstm_chunk(q: Tensor, k: Tensor, v: Tensor, i: Tensor, f: Tensor, state: State, eps: float):
    """All steps of a chunk. q, k [B,N,T,K]; v [B,N,T,V]; i, f [B,N,T]. Returns h [B,N,T,V], State.

    h does not depend on the choice of m, so m needs no gradient.
    """
    steps = q.shape[2]
    b = F.logsigmoid(f).cumsum(-1)  # [B,N,T] log of the decay since the start of the chunk
    d = b[..., :, None] - b[..., None, :] + i[..., None, :]  # [B,N,T,T] log weight of step s in step t
    d = d.masked_fill(torch.ones(steps, steps, dtype=torch.bool, device=q.device).triu(1), -torch.inf)
    with torch.no_grad():
        m = torch.maximum(b + state.m[..., None], d.amax(-1))  # [B,N,T]
        last = b[..., -1:]
        m_new = torch.maximum(last.squeeze(-1) + state.m, (last - b + i).amax(-1))  # [B,N]
    q = q * q.shape[-1] ** -0.5
    scores = q @ k.transpose(-1, -2) * torch.exp(d - m[..., None])  # [B,N,T,T]
    carried = q * torch.exp(b + state.m[..., None] - m)[..., None]  # [B,N,T,K]
    num = carried @ state.c + scores @ v
    den = (carried * state.n[..., None, :]).sum(-1) + scores.sum(-1)
    h = num / (torch.maximum(den.abs(), torch.exp(-m)) + eps)[..., None]

    decay = torch.exp(last.squeeze(-1) + state.m - m_new)  # [B,N]
    k = k * torch.exp(last - b + i - m_new[..., None])[..., None]  # [B,N,T,K]
    c = decay[..., None, None] * state.c + k.transpose(-1, -2) @ v
    n = decay[..., None] * state.n + k.sum(2)
    return h, State(c, n, m_new)


def mlstm_chunkwise(q, k, v, i, f, state: State, eps: float, chunk_size: int = 64):
    """Runs `mlstm_chunk` over chunks of `chunk_size` steps (the last may be shorter) and passes the state on."""
    chunks = []
    for parts in zip(*(x.split(chunk_size, dim=2) for x in (q, k, v, i, f))):
        h, state = mlstm_chunk(*parts, state, eps)
        chunks.append(h)
    return torch.cat(chunks, dim=2), state


class RmsNorm(nn.Module):
    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


class MultiHeadLayerNorm(nn.Module):
    """LayerNorm over each head's V values, then one weight vector for all N * V."""

    def __init__(self, size: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, h: Tensor) -> Tensor:  # [B,T,N,V] -> [B,T,N*V]
        return F.layer_norm(h, h.shape[-1:], eps=self.eps).flatten(-2) * self.weight


class MlstmLayer(nn.Module):
    def __init__(self, config: XlstmConfig):
        super().__init__()
        hidden, heads = config.hidden_size, config.num_heads
        self.config = config
        self.q = nn.Linear(hidden, config.qk_dim, bias=False)
        self.k = nn.Linear(hidden, config.qk_dim, bias=False)
        self.v = nn.Linear(hidden, config.v_dim, bias=False)
        self.ogate_preact = nn.Linear(hidden, config.v_dim, bias=False)
        self.igate_preact = nn.Linear(hidden, heads)
        self.fgate_preact = nn.Linear(hidden, heads)
        self.multihead_norm = MultiHeadLayerNorm(config.v_dim, config.norm_eps)
        self.out_proj = nn.Linear(config.v_dim, hidden, bias=False)

    def forward(self, x: Tensor, state: State):
        heads, cap = self.config.num_heads, self.config.gate_soft_cap
        q, k, v = (p(x).unflatten(-1, (heads, -1)).transpose(1, 2) for p in (self.q, self.k, self.v))  # [B,N,T,.]
        i = soft_cap(self.igate_preact(x), cap).transpose(1, 2)  # [B,N,T]
        f = soft_cap(self.fgate_preact(x), cap).transpose(1, 2)
        if x.shape[1] == 1:
            h, state = mlstm_step(*(p.squeeze(2) for p in (q, k, v, i, f)), state, self.config.eps)
            h = h.unsqueeze(2)
        else:
            h, state = mlstm_chunkwise(q, k, v, i, f, state, self.config.eps)
        h = self.multihead_norm(h.transpose(1, 2))  # [B,T,N*V]
        return self.out_proj(torch.sigmoid(self.ogate_preact(x)) * h), state


class FeedForward(nn.Module):
    def __init__(self, config: XlstmConfig):
        super().__init__()
        self.proj_up_gate = nn.Linear(config.hidden_size, config.ffn_dim, bias=False)
        self.proj_up = nn.Linear(config.hidden_size, config.ffn_dim, bias=False)
        self.proj_down = nn.Linear(config.ffn_dim, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj_down(F.silu(self.proj_up_gate(x)) * self.proj_up(x))


class Block(nn.Module):
    def __init__(self, config: XlstmConfig, dropout: float):
        super().__init__()
        self.norm_mlstm = RmsNorm(config.hidden_size, config.norm_eps)
        self.mlstm_layer = MlstmLayer(config)
        self.norm_ffn = RmsNorm(config.hidden_size, config.norm_eps)
        self.ffn = FeedForward(config)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, state: State):
        y, state = self.mlstm_layer(self.norm_mlstm(x), state)
        x = x + self.dropout(y)
        return x + self.dropout(self.ffn(self.norm_ffn(x))), state


class Backbone(nn.Module):
    def __init__(self, config: XlstmConfig, dropout: float):
        super().__init__()
        self.embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.blocks = nn.ModuleList(Block(config, dropout) for _ in range(config.num_hidden_layers))
        self.out_norm = RmsNorm(config.hidden_size, config.norm_eps)


class Xlstm(nn.Module):
    """The parameter names are those of the checkpoint, so `state_dict()` is the checkpoint."""

    def __init__(self, config: XlstmConfig, dropout: float = 0.0):
        super().__init__()
        self.config = config
        self.backbone = Backbone(config, dropout)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self._init_weights()

    def _init_weights(self) -> None:
        hidden, layers = self.config.hidden_size, self.config.num_hidden_layers
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue
            is_output = name.endswith(("out_proj.weight", "proj_down.weight"))
            std = 2 / layers / math.sqrt(hidden) if is_output else math.sqrt(2 / (5 * hidden))
            nn.init.normal_(parameter, std=std)
        for block in self.backbone.blocks:
            layer = block.mlstm_layer
            nn.init.zeros_(layer.igate_preact.weight)
            nn.init.zeros_(layer.fgate_preact.weight)
            nn.init.constant_(layer.igate_preact.bias, -10.0)  # the input gate starts almost closed
            with torch.no_grad():  # half-lives from a dozen to a few hundred steps
                layer.fgate_preact.bias.copy_(torch.linspace(3.0, 6.0, self.config.num_heads))

    def initial_state(self, batch: int) -> list[State]:
        heads = self.config.num_heads
        k, v = self.config.qk_dim // heads, self.config.v_dim // heads
        new = self.lm_head.weight.new_zeros
        return [State(new(batch, heads, k, v), new(batch, heads, k), new(batch, heads)) for _ in self.backbone.blocks]

    def forward(self, ids: Tensor, states: list[State]) -> tuple[Tensor, list[State]]:
        """ids [B,T] -> logits [B,T,vocab], and the state after the last id."""
        x = self.backbone.embeddings(ids)
        new_states = []
        for block, state in zip(self.backbone.blocks, states):
            x, state = block(x, state)
            new_states.append(state)
        return soft_cap(self.lm_head(self.backbone.out_norm(x)), self.config.output_logit_soft_cap), new_states
