import Crypto
import GRDB
import Hummingbird
import HummingbirdTLS
import Yams
import AsyncHTTPClient
import CZstd
import CZlib
import ArgumentParser
print("cairn")
