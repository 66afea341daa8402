"""Translates the template on standard input as AWS SAM itself does."""
import json
import os
import sys

os.environ["AWS_DEFAULT_REGION"] = "us-east-1"

from samtranslator.translator.transform import transform


class NoPolicies:
    """Stands for the list of managed policies that SAM asks IAM for."""

    def load(self):
        return {}


template = json.load(sys.stdin)
defaults = {name: p.get("Default") for name, p in template.get("Parameters", {}).items()}
json.dump(transform(template, defaults, NoPolicies()), sys.stdout)
