"""Drives the REST face with a client that openapi-python-client generates from the spec.

`rest_client.py SPEC SERVER_URL WORK_DIR`: the generated package is written to WORK_DIR.
"""
import importlib
import pathlib
import shutil
import subprocess
import sys

spec, server, work = sys.argv[1:]
target = pathlib.Path(work)
shutil.rmtree(target, ignore_errors=True)
target.parent.mkdir(parents=True, exist_ok=True)
generator = pathlib.Path(sys.executable).parent / "openapi-python-client"
subprocess.run(
    [generator, "generate", "--path", spec, "--meta", "none", "--output-path", target / "petstore"],
    check=True,
    stdout=subprocess.DEVNULL,
)
sys.path.insert(0, str(target))

petstore = importlib.import_module("petstore")
models = importlib.import_module("petstore.models")


def api(tag: str, operation: str):
    return importlib.import_module(f"petstore.api.{tag}.{operation}")


client = petstore.Client(base_url=f"{server}/r/rest-py")
new = models.NewPet.from_dict({"name": "Rex", "category": "dog", "price": 250})
made = api("pets", "create_pet").sync_detailed(client=client, body=new)
assert made.status_code == 201, made
pet = made.parsed
assert pet.name == "Rex", pet

read = api("pets", "get_pet").sync_detailed(pet.id, client=client)
assert read.status_code == 200 and read.parsed == pet, read

patch = models.PetPatch.from_dict({"name": "Max"})
changed = api("pets", "update_pet").sync_detailed(pet.id, client=client, body=patch)
assert changed.status_code == 200 and changed.parsed.name == "Max", changed

page = api("pets", "list_pets").sync_detailed(client=client, limit=100)
assert page.status_code == 200, page
assert b'"Max"' in page.content, page.content

gone = api("pets", "delete_pet").sync_detailed(pet.id, client=client)
assert gone.status_code == 204, gone
missing = api("pets", "get_pet").sync_detailed(pet.id, client=client)
assert missing.status_code == 404, missing
print("ok")
