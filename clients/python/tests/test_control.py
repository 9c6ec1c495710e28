"""Interpreters, tags and sessions: what is answered, and how each wrong request is refused."""

import urllib.parse
import uuid

from . import kit

UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def token():
    return f"{uuid.uuid4()}-{uuid.uuid4()}"


class Interpreters(kit.TestCase):
    def setUp(self):
        self.client = kit.control_client()

    def create(self, name=None, **more):
        name = name or "test_" + uuid.uuid4().hex[:12]
        more.setdefault("networkConfiguration", {"networkMode": "SANDBOX"})
        made = self.client.create_code_interpreter(name=name, **more)
        self.addCleanup(self.delete, made["codeInterpreterId"])
        return made

    def delete(self, id):
        try:
            return self.client.delete_code_interpreter(codeInterpreterId=id)
        except self.client.exceptions.ResourceNotFoundException:
            return None

    def test_one_is_made_found_and_deleted(self):
        made = self.create("Own_1", description="d", tags={"a": "b"})
        id = made["codeInterpreterId"]
        self.assertEqual(made["ResponseMetadata"]["HTTPStatusCode"], 202)
        self.assertRegex(id, "^Own_1-[a-zA-Z0-9]{10}$")
        self.assertEqual(made["codeInterpreterArn"], f"arn:aws:bedrock-agentcore:us-east-1:000000000000:code-interpreter-custom/{id}")
        for identifier in (id, made["codeInterpreterArn"]):
            got = self.client.get_code_interpreter(codeInterpreterId=identifier)
            self.assertEqual((got["codeInterpreterId"], got["name"], got["description"]), (id, "Own_1", "d"))
            self.assertEqual((got["status"], got["networkConfiguration"]), ("READY", {"networkMode": "SANDBOX"}))
            self.assertEqual(got["createdAt"], made["createdAt"])
        with self.refused("ConflictException", 409, "Own_1"):
            self.create("Own_1")
        deleted = self.delete(id)
        self.assertEqual((deleted["codeInterpreterId"], deleted["status"]), (id, "DELETING"))
        self.assertEqual(deleted["ResponseMetadata"]["HTTPStatusCode"], 202)
        with self.refused("ResourceNotFoundException", 404, id):
            self.client.get_code_interpreter(codeInterpreterId=id)
        with self.refused("ResourceNotFoundException", 404, id):
            self.client.delete_code_interpreter(codeInterpreterId=id)

    def test_the_operators_list_is_the_mode_vpc(self):
        vpc = {
            "networkMode": "VPC",
            "vpcConfig": {"securityGroups": ["sg-0123456789abcdef0"], "subnets": ["subnet-01234567"]},
        }
        for wanted in ({"networkMode": "VPC"}, vpc):
            with self.subTest(wanted=wanted):
                made = self.create(networkConfiguration=wanted)
                got = self.client.get_code_interpreter(codeInterpreterId=made["codeInterpreterId"])
                self.assertEqual(got["networkConfiguration"], wanted)

    def test_a_session_reaches_what_its_interpreter_says_and_no_more(self):
        look_up = """
import socket
for name in ("listed.example", "other.example"):
    try:
        print(name, len(socket.getaddrinfo(name, 443, socket.AF_INET, socket.SOCK_STREAM)))
    except socket.gaierror as error:
        print(name, "no")
"""
        made = self.create(networkConfiguration={"networkMode": "VPC"})
        session = self.session(identifier=made["codeInterpreterId"])
        result = session.call("executeCode", code=look_up, language="python")["structuredContent"]
        self.assertEqual(result["stdout"].split(), ["listed.example", "1", "other.example", "no"])
        self.assertIn("`other.example` is not on this session's list", result["stderr"])
        self.assertEqual(self.session().code(look_up).split(), ["listed.example", "no", "other.example", "no"])

    def test_what_the_operator_does_not_permit_is_refused_with_the_setting(self):
        with self.refused(
            "ValidationException", 400, "permits the network mode allow at most (`network.mode`)", "PUBLIC needs internet",
            field="networkConfiguration.networkMode",
        ):
            self.create(networkConfiguration={"networkMode": "PUBLIC"})

    def test_the_paginator_finds_all_of_them_once(self):
        made = [self.create()["codeInterpreterId"] for _ in range(7)]
        pages = list(
            self.client.get_paginator("list_code_interpreters").paginate(PaginationConfig={"PageSize": 3})
        )
        self.assertTrue(all(len(page["codeInterpreterSummaries"]) <= 3 for page in pages))
        found = [item["codeInterpreterId"] for page in pages for item in page["codeInterpreterSummaries"]]
        self.assertEqual(len(found), len(set(found)))
        self.assertEqual([id for id in found if id in made], made[::-1])
        self.assertEqual(found[-1], kit.SYSTEM)
        kinds = {kind: self.client.list_code_interpreters(type=kind, maxResults=100) for kind in ("SYSTEM", "CUSTOM")}
        [system] = kinds["SYSTEM"]["codeInterpreterSummaries"]
        self.assertEqual(system["codeInterpreterArn"], "arn:aws:bedrock-agentcore:us-east-1:aws:code-interpreter/aws.codeinterpreter.v1")
        self.assertEqual((system["name"], system["status"]), ("Amazon Bedrock AgentCore Code Interpreter", "READY"))
        self.assertNotIn(kit.SYSTEM, [item["codeInterpreterId"] for item in kinds["CUSTOM"]["codeInterpreterSummaries"]])

    def test_tags(self):
        arn = self.create(tags={"one": "1"})["codeInterpreterArn"]
        tags = lambda: self.client.list_tags_for_resource(resourceArn=arn)["tags"]
        self.assertEqual(tags(), {"one": "1"})
        answer = self.client.tag_resource(resourceArn=arn, tags={"one": "2", "a b:c/d": ""})
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 204)
        self.assertEqual(tags(), {"one": "2", "a b:c/d": ""})
        self.client.untag_resource(resourceArn=arn, tagKeys=["one", "never"])
        self.assertEqual(tags(), {"a b:c/d": ""})
        with self.refused("ServiceQuotaExceededException", 402, "50"):
            self.client.tag_resource(resourceArn=arn, tags={f"k{n}": "v" for n in range(50)})
        with self.refused("ValidationException", 400, "tags", "pattern"):
            self.client.tag_resource(resourceArn=arn, tags={"k": "<>"})
        with self.refused("ResourceNotFoundException", 404):
            self.client.list_tags_for_resource(resourceArn=arn[:-10] + "0000000000")

    def test_a_token_makes_one(self):
        name, same = "tok_" + uuid.uuid4().hex[:8], token()
        first = self.create(name, clientToken=same)
        again = self.create(name, clientToken=same)
        self.assertEqual(again["codeInterpreterId"], first["codeInterpreterId"])
        with self.refused("ValidationException", 400, "clientToken", reason="IdempotentParameterMismatchException"):
            self.create("tok_" + uuid.uuid4().hex[:8], clientToken=same)

    def test_what_is_wrong_is_refused_with_the_field_named(self):
        sandbox = {"networkConfiguration": {"networkMode": "SANDBOX"}}
        for field, wrong in [
            ("name", {"name": "1abc", **sandbox}),
            ("name", {"name": "a" * 49, **sandbox}),
            ("name", {"name": "a-b", **sandbox}),
            ("description", {"name": "a", "description": "d" * 4097, **sandbox}),
            ("executionRoleArn", {"name": "a", "executionRoleArn": "arn:aws:s3:::x", **sandbox}),
            ("networkConfiguration.networkMode", {"name": "a", "networkConfiguration": {"networkMode": "sandbox"}}),
            ("networkConfiguration.networkMode", {"name": "a", "networkConfiguration": {"networkMode": "PUBLIC"}}),
            ("clientToken", {"name": "a", "clientToken": "!" * 40, **sandbox}),
            ("clientToken", {"name": "a", "clientToken": "a" * 257, **sandbox}),
            ("tags", {"name": "a", "tags": {f"k{n}": "" for n in range(51)}, **sandbox}),
        ]:
            with self.subTest(field=field, wrong=wrong):
                with self.refused("ValidationException", 400, field, reason="FieldValidationFailed", field=field):
                    made = self.client.create_code_interpreter(**wrong)
                    self.delete(made["codeInterpreterId"])
        vpc = {"securityGroups": ["sg-0123456789abcdef0"], "subnets": ["subnet-01234567"]}
        for field, wrong in [
            ("securityGroups[0]", {"networkMode": "VPC", "vpcConfig": {**vpc, "securityGroups": ["mine"]}}),
            ("subnets[1]", {"networkMode": "VPC", "vpcConfig": {**vpc, "subnets": ["subnet-01234567", "mine"]}}),
            ("vpcConfig", {"networkMode": "SANDBOX", "vpcConfig": vpc}),
        ]:
            with self.subTest(field=field), self.refused("ValidationException", 400, field):
                self.client.create_code_interpreter(name="a", networkConfiguration=wrong)
        for wrong in ({"maxResults": 101}, {"type": "OTHER"}, {"nextToken": "not ours"}):
            with self.subTest(wrong=wrong), self.refused("ValidationException", 400, *wrong, field=next(iter(wrong))):
                self.client.list_code_interpreters(**wrong)
        with self.refused("ResourceNotFoundException", 404):
            self.client.get_code_interpreter(codeInterpreterId="never-0123456789")
        with self.refused("AccessDeniedException", 403):
            self.client.delete_code_interpreter(codeInterpreterId=kit.SYSTEM)


class Sessions(kit.TestCase):
    def setUp(self):
        self.client = kit.data_client()

    def test_an_arn_names_the_interpreter(self):
        arn = f"arn:aws:bedrock-agentcore:us-east-1:aws:code-interpreter/{kit.SYSTEM}"
        session = self.session(identifier=arn)
        self.assertEqual(session.started["codeInterpreterIdentifier"], kit.SYSTEM)
        self.assertEqual(session.code("print(2)"), "2")
        session.identifier = kit.SYSTEM
        self.assertEqual(session.get()["status"], "READY")
        session.identifier = arn
        self.assertEqual(session.stop()["sessionId"], session.id)
        self.assertEqual(session.get()["status"], "TERMINATED")

    def test_defaults(self):
        session = self.session()
        got = session.get()
        self.assertEqual(got["sessionTimeoutSeconds"], 900)
        self.assertNotIn("name", got)
        self.assertEqual(got["createdAt"], session.started["createdAt"])
        self.assertEqual(session.started["ResponseMetadata"]["HTTPStatusCode"], 200)

    def test_a_token_opens_one(self):
        same = token()
        first = self.session(clientToken=same, name="a")
        again = self.session(clientToken=same, name="a")
        self.assertEqual(again.id, first.id)
        with self.refused("ValidationException", 400, "clientToken", reason="IdempotentParameterMismatchException"):
            self.session(clientToken=same, name="b")

    def test_pages(self):
        control = kit.control_client()
        made = control.create_code_interpreter(
            name="pages_" + uuid.uuid4().hex[:8], networkConfiguration={"networkMode": "SANDBOX"}
        )["codeInterpreterId"]
        self.addCleanup(control.delete_code_interpreter, codeInterpreterId=made)
        sessions = [self.session(identifier=made, name=f"n{n}") for n in range(5)]
        sessions[1].stop()
        list_ = lambda **more: self.client.list_code_interpreter_sessions(codeInterpreterIdentifier=made, **more)
        found, more = [], {}
        while True:
            page = list_(maxResults=2, **more)
            self.assertLessEqual(len(page["items"]), 2)
            found += page["items"]
            if "nextToken" not in page:
                break
            more = {"nextToken": page["nextToken"]}
        self.assertEqual([item["sessionId"] for item in found], [session.id for session in sessions[::-1]])
        self.assertEqual([item["name"] for item in found], ["n4", "n3", "n2", "n1", "n0"])
        status = lambda which: [item["name"] for item in list_(status=which)["items"]]
        self.assertEqual((status("READY"), status("TERMINATED")), (["n4", "n3", "n2", "n0"], ["n1"]))
        with self.refused("ValidationException", 400, field="nextToken"):
            list_(nextToken="!!")

    def test_a_life_of_one_second(self):
        session = self.session(sessionTimeoutSeconds=1)
        self.assertEqual(session.get()["status"], "READY")
        kit.until(lambda: session.get()["status"] == "TERMINATED", 20, "the session's end")
        with self.refused("ValidationException", 400, reason=None) as _:
            session.code("print(1)")

    def test_a_stopped_session_is_not_active(self):
        session = self.session()
        self.assertGreaterEqual(session.stop()["lastUpdatedAt"], session.started["createdAt"])
        for name, arguments in [("executeCode", {"code": "1"}), ("readFiles", {"paths": ["a"]})]:
            with self.assertRaises(self.client.exceptions.ValidationException) as caught:
                session.call(name, **arguments)
            response = caught.exception.response
            self.assertEqual(response["Error"]["Message"], f"Code interpreter session {session.id} is not active")
            self.assertIsNone(response.get("reason"))
        # Stopping once more changes nothing.
        self.assertEqual(session.stop()["sessionId"], session.id)

    def test_a_stop_ends_the_call_that_runs(self):
        session = self.session()
        stream = session.respond("executeCode", {"code": "import time\nprint('begun', flush=True)\ntime.sleep(600)"})["stream"]
        session.stop()
        [event] = list(stream)
        self.assertTrue(event["result"]["isError"])
        self.assertEqual(event["result"]["structuredContent"]["exitCode"], 143)

    def test_unknown_sessions(self):
        for call in (self.client.get_code_interpreter_session, self.client.stop_code_interpreter_session):
            with self.refused("ResourceNotFoundException", 404, UNKNOWN):
                call(codeInterpreterIdentifier=kit.SYSTEM, sessionId=UNKNOWN)
        invoke = lambda session, identifier=kit.SYSTEM: self.client.invoke_code_interpreter(
            codeInterpreterIdentifier=identifier, sessionId=session, name="executeCode", arguments={"code": "1"}
        )
        with self.refused("ResourceNotFoundException", 404, UNKNOWN):
            invoke(UNKNOWN)
        with self.refused("ValidationException", 400, field="sessionId"):
            invoke("x" * 41)
        with self.refused("ResourceNotFoundException", 404):
            self.client.start_code_interpreter_session(codeInterpreterIdentifier="never-0123456789")
        with self.refused("ValidationException", 400, field="codeInterpreterIdentifier"):
            self.client.start_code_interpreter_session(codeInterpreterIdentifier="no such thing")
        other = self.session()
        with self.refused("ResourceNotFoundException", 404):
            invoke(other.id, "never-0123456789")
        with self.refused("ValidationException", 400, field="sessionId"):
            self.client.invoke_code_interpreter(
                codeInterpreterIdentifier=kit.SYSTEM, name="executeCode", arguments={"code": "1"}
            )

    def test_what_is_wrong_is_refused_with_the_field_named(self):
        start = lambda **more: self.client.start_code_interpreter_session(codeInterpreterIdentifier=kit.SYSTEM, **more)
        self.session(name="é" * 100)
        for field, part, wrong in [
            ("name", "less than or equal to 100", {"name": "x" * 101}),
            ("sessionTimeoutSeconds", "less than or equal to 28800", {"sessionTimeoutSeconds": 28801}),
            ("sessionTimeoutSeconds", "less than or equal to 28800", {"sessionTimeoutSeconds": 99999}),
            ("clientToken", "pattern", {"clientToken": "-" * 40}),
            ("traceId", "1024", {"traceId": "x" * 1025}),
            ("filesystemConfigurations[0].mountPath", "pattern", {"filesystemConfigurations": [kit.mount("fsap-1", "/data/x")]}),
            ("certificates", "Secrets Manager", {"certificates": [{"location": {"secretsManager": {
                "secretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:a"}}}]}),
        ]:
            with self.subTest(field=field), self.refused(
                "ValidationException", 400, field, part, reason="FieldValidationFailed", field=field
            ):
                start(**wrong)
        with self.refused("ValidationException", 400, "TERMINATED", field="status"):
            self.client.list_code_interpreter_sessions(codeInterpreterIdentifier=kit.SYSTEM, status="ACTIVE")
        with self.refused("ValidationException", 400, field="maxResults"):
            self.client.list_code_interpreter_sessions(codeInterpreterIdentifier=kit.SYSTEM, maxResults=101)

    def test_wrong_arguments_of_tools(self):
        session = self.session()
        for field, name, arguments in [
            ("name", "executecode", {"code": "1"}),
            ("arguments.code", "executeCode", {}),
            ("arguments.language", "executeCode", {"code": "1", "language": "ruby"}),
            ("arguments.runtime", "executeCode", {"code": "1", "runtime": "bun"}),
            ("arguments.command", "executeCommand", {}),
            ("arguments.command", "startCommandExecution", {"code": "1"}),
            ("arguments.taskId", "getTask", {}),
            ("arguments.taskId", "stopTask", {}),
            ("arguments.paths", "readFiles", {"paths": []}),
            ("arguments.paths", "removeFiles", {}),
            ("arguments.content", "writeFiles", {"content": []}),
            ("arguments.content[0]", "writeFiles", {"content": [{"path": "a"}]}),
            ("arguments.content[0]", "writeFiles", {"content": [{"path": "a", "text": "", "blob": b""}]}),
        ]:
            with self.subTest(name=name, arguments=arguments), self.refused(
                "ValidationException", 400, field, reason="FieldValidationFailed", field=field
            ):
                session.call(name, **arguments)

    def test_requests_have_ids(self):
        session = self.session()
        ids = {session.get()["ResponseMetadata"]["RequestId"] for _ in range(3)}
        self.assertEqual(len(ids), 3)
