"""Logits of Hugging Face transformers, to compare with ours.

    parity.py make DIR SHAPE   write a random Qwen2 checkpoint (SHAPE: JSON of Qwen2Config)
    parity.py run DIR          read DIR and DIR/texts.json (lists of token ids), write DIR/logits.safetensors
"""

import json
import sys

import torch
from safetensors.torch import save_file
from transformers import Qwen2Config, Qwen2ForCausalLM

torch.manual_seed(7)
torch.set_num_threads(1)
verb, folder = sys.argv[1], sys.argv[2]
if verb == "make":
    model = Qwen2ForCausalLM(Qwen2Config(**json.loads(sys.argv[3])))
    with torch.no_grad():
        # transformers starts biases at zero and norms at one: a mistake there would go unseen.
        for name, tensor in model.named_parameters():
            if tensor.dim() == 1:
                tensor.add_(torch.randn_like(tensor) * 0.1)
            else:
                tensor.mul_(3.0)
    model.to(torch.float32).save_pretrained(folder)
else:
    model = Qwen2ForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with open(f"{folder}/texts.json") as file:
        texts = json.load(file)
    with torch.no_grad():
        logits = {str(i): model(torch.tensor([ids])).logits[0].contiguous() for i, ids in enumerate(texts)}
    save_file(logits, f"{folder}/logits.safetensors")
