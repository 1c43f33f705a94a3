# What the tests of the oss port share: refusals as oss2 tells them.
# SPDX-License-Identifier: Apache-2.0
import oss2
import pytest


def refused(status, code, call, *arguments, **options):
    with pytest.raises(oss2.exceptions.ServerError) as caught:
        answer = call(*arguments, **options)
        if hasattr(answer, "read"):
            answer.read()
    error = caught.value
    assert (error.status, error.code) == (status, code), error
    assert error.request_id, "a refusal has a request id"
    return error
