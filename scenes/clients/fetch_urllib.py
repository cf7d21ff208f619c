# SPDX-License-Identifier: Apache-2.0
# fetch_urllib.py CA URL, through the proxy of the environment, as strict as Python 3.13.
import ssl
import sys
import urllib.error
import urllib.request

context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
try:
    print(opener.open(sys.argv[2], timeout=30).read().decode(), end="")
except urllib.error.HTTPError as error:
    print(error.read().decode(), end="")
    sys.exit(22)
