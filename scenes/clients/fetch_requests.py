# SPDX-License-Identifier: Apache-2.0
# fetch_requests.py CA URL, through the proxy of the environment.
import sys

import requests

answer = requests.get(sys.argv[2], verify=sys.argv[1], timeout=30)
print(answer.text, end="")
sys.exit(0 if answer.status_code == 200 else 22)
