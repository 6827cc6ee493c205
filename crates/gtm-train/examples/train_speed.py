"""Forward and backward in PyTorch (eager), for train_speed.rs: train_speed.py CONFIG THREADS SEQUENCES LENGTH"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

config = json.loads(sys.argv[1])
threads, sequences, length = map(int, sys.argv[2:5])
torch.set_num_threads(threads)
torch.manual_seed(1)
d, heads, kv = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
hd, inner, vocab = config["head_dim"], config["intermediate_size"], config["vocab_size"]


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.n1, self.n2 = nn.RMSNorm(d, eps=1e-6), nn.RMSNorm(d, eps=1e-6)
        self.qkv, self.o = nn.Linear(d, (heads + 2 * kv) * hd), nn.Linear(heads * hd, d, bias=False)
        self.gate_up, self.down = nn.Linear(d, 2 * inner, bias=False), nn.Linear(inner, d, bias=False)

    def forward(self, x, cos, sin):
        b, t, _ = x.shape
        q, k, v = self.qkv(self.n1(x)).view(b, t, heads + 2 * kv, hd).transpose(1, 2).split([heads, kv, kv], dim=1)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.o(y.transpose(1, 2).reshape(b, t, heads * hd))
        g, u = self.gate_up(self.n2(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(g) * u)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.norm = nn.Embedding(vocab, d), nn.RMSNorm(d, eps=1e-6)
        self.layers = nn.ModuleList(Layer() for _ in range(config["num_hidden_layers"]))
        angles = torch.arange(length)[:, None] / 10000 ** (torch.arange(0, hd, 2) / hd)[None]
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, ids, targets):
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        logits = F.linear(self.norm(x), self.embed.weight)
        return F.cross_entropy(logits.view(-1, vocab).float(), targets.reshape(-1))


for dtype in [torch.float32, torch.bfloat16]:
    model = Model().to(dtype)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        model.zero_grad()
        for at in range(0, sequences, 2):
            ids = torch.randint(vocab, (2, length + 1))
            model(ids[:, :-1], ids[:, 1:]).backward()
        best = min(best, time.perf_counter() - start)
    print(f"  PyTorch {torch.__version__} {str(dtype)[6:]}: {sequences * length / best:.0f} tokens/s")
