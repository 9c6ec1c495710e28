# The service is not here: the client is, and a stub answers it.
import boto3
from botocore.stub import Stubber

client = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
with Stubber(client) as stub:
    stub.add_response("list_buckets", {"Buckets": [{"Name": "one"}]})
    assert client.list_buckets()["Buckets"][0]["Name"] == "one"
