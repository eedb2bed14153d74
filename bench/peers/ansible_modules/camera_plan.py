"""The peer: a module as most collections have them. Ansible packs it and starts a Python for every host.

It asks with the same client as the collection, once, for its host alone.
"""

from ansible.module_utils.basic import AnsibleModule  # type: ignore[import-untyped] # Ansible has no annotations
from ansible_collections.camwarden.estate.plugins.module_utils.client import CONNECTION, service_of  # type: ignore[import-not-found] # found by Ansible's loader


def main() -> None:
    words = {**CONNECTION, "plan": {"type": "str"}, "number": {"type": "int"}}
    module = AnsibleModule(argument_spec=words, supports_check_mode=True)
    given = module.params
    page = service_of(given).get(f"plans/{given['plan']}/cameras", after=given["number"], limit=1)
    (camera,) = page["items"]
    module.exit_json(changed=any(step["state"] == "waiting" for step in camera["steps"]), camera=camera)


if __name__ == "__main__":
    main()
