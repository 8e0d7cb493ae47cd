"""MiniStack with virtual machines: run instead of the command `ministack`.

MiniStack boots a container for an AMI that was registered with an image, and keeps all else about instances as records. What a
service on machines needs beyond that is added here, to its handlers in this process: instances from launch templates, groups
that start and end them and register them as targets, targets that are healthy when they answer, and a metadata service that
gives each instance its user data and the credentials of its role. FRONT is the address of the ECR front, through which
sessions begin so that the front knows them.
"""

import asyncio
import base64
import datetime
import http.client
import os
import re
import sys
import threading

import attributes  # noqa: F401, for what it keeps
import botocore.session
import ministack.core.iam_evaluator as iam
import ministack.services.alb as alb
import ministack.services.autoscaling as asg
import ministack.services.ec2 as ec2
import ministack.services.imds as imds

CHECK_SECONDS = 2


def text(answer):
    return answer[2].decode() if isinstance(answer[2], bytes) else answer[2]


def replace(module, action, wrap):
    """Puts wrap(original) in the place of an action's handler."""
    module._ACTION_MAP[action] = wrap(module._ACTION_MAP[action])


# --- EC2: instances from launch templates, user data, metadata options


def template(p):
    """The data of the version that a request names."""
    wanted = ec2._p(p, "LaunchTemplate.LaunchTemplateId")
    version = ec2._p(p, "LaunchTemplate.Version")
    for found in ec2._launch_templates.values():
        if found["LaunchTemplateId"] == wanted:
            number = {"$Latest": found["LatestVersionNumber"], "$Default": found["DefaultVersionNumber"]}.get(version, version)
            return next(v["LaunchTemplateData"] for v in found["Versions"] if str(v["VersionNumber"]) == str(number))
    return {}


def run_instances(original):
    def run(p):
        p, data = dict(p), template(p)
        for key in ("ImageId", "InstanceType", "UserData"):
            if not ec2._p(p, key) and data.get(key):
                p[key] = [data[key]]
        for number, group in enumerate(data.get("SecurityGroupIds") or [], 1):
            p.setdefault(f"SecurityGroupId.{number}", [group])
        for key, value in (data.get("IamInstanceProfile") or {}).items():
            p.setdefault(f"IamInstanceProfile.{key}", [value])
        answer = original(p)
        for instance in re.findall("<instanceId>(i-[0-9a-f]+)", text(answer)):
            if instance in ec2._instances:
                ec2._instances[instance]["MetadataOptions"] = dict(data.get("MetadataOptions") or {})
                # By these EC2 tells what an instance was made from.
                made_from = {"id": ec2._p(p, "LaunchTemplate.LaunchTemplateId"), "version": ec2._p(p, "LaunchTemplate.Version")}
                ec2._tags[instance] = (ec2._tags.get(instance) or []) + [
                    {"Key": f"aws:ec2launchtemplate:{key}", "Value": value} for key, value in made_from.items() if value]
        return answer

    return run


def describe_attribute(original):
    def describe(p):
        instance = ec2._instances.get(ec2._p(p, "InstanceId"))
        if not instance or ec2._p(p, "Attribute") != "userData":
            return original(p)
        data = instance.get("UserData")
        data = f"<userData><value>{ec2._esc(data)}</value></userData>" if data else "<userData/>"
        return ec2._xml(200, "DescribeInstanceAttributeResponse", f"<instanceId>{instance['InstanceId']}</instanceId>{data}")

    return describe


replace(ec2, "RunInstances", run_instances)
replace(ec2, "DescribeInstanceAttribute", describe_attribute)
instance_xml = ec2._instance_xml


def with_metadata_options(instance):
    options = instance.get("MetadataOptions") or {}
    values = {"state": "applied"} | {
        name: options.get(name[0].upper() + name[1:], default)
        for name, default in (("httpTokens", "optional"), ("httpPutResponseHopLimit", 1), ("httpEndpoint", "enabled"),
                              ("httpProtocolIpv6", "disabled"), ("instanceMetadataTags", "disabled"))
    }
    xml = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return instance_xml(instance).replace("<amiLaunchIndex>", f"<metadataOptions>{xml}</metadataOptions><amiLaunchIndex>")


ec2._instance_xml = with_metadata_options

# --- The metadata service, for the instance that asks


def role_of(instance):
    profile = (instance.get("IamInstanceProfile") or {}).get("Arn", "")
    return profile.rsplit("/", 1)[-1]  # here a profile has the name of its role


def assume(role, instance):
    """Credentials of the role, if it trusts a service, from a session that begins through the ECR front."""
    session = botocore.session.Session()
    session.set_credentials("test", "test")
    sts = session.create_client("sts", region_name="us-east-1", endpoint_url=os.environ["FRONT"])
    given = sts.assume_role(RoleArn=f"arn:aws:iam::000000000000:role/{role}", RoleSessionName=instance)["Credentials"]
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": now, "AccessKeyId": given["AccessKeyId"],
            "SecretAccessKey": given["SecretAccessKey"], "Token": given["SessionToken"],
            "Expiration": given["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")}


metadata = imds.handle_request


async def serve_metadata(method, path, headers, body, query):
    address = iam._request_origin.get()[0]
    running = (i for i in list(ec2._instances._data.values()) if i["State"]["Name"] == "running")
    instance = next((i for i in running if i.get("PrivateIpAddress") == address), None)
    if instance is None or method.upper() != "GET":
        return await metadata(method, path, headers, body, query)
    if not headers.get("x-aws-ec2-metadata-token") or not imds._check_token(headers):
        return imds._unauthorized()
    path = re.sub(r"^/\d{4}-\d\d-\d\d/", "/latest/", path).rstrip("/")
    credentials = "/latest/meta-data/iam/security-credentials"
    if path == "/latest/user-data":
        return 200, {"Content-Type": "application/octet-stream"}, base64.b64decode(instance.get("UserData") or "")
    if path == credentials:
        return imds._text(role_of(instance))
    if path == f"{credentials}/{role_of(instance)}":
        given = await asyncio.to_thread(assume, role_of(instance), instance["InstanceId"])
        return imds._json_resp(given)
    known = {"instance-id": instance["InstanceId"], "local-ipv4": address, "local-hostname": "ip-" + address.replace(".", "-")}
    name = path.rsplit("/", 1)[-1]
    return imds._text(known[name]) if name in known else await metadata(method, path, headers, body, query)


imds.handle_request = serve_metadata

# --- Auto Scaling: real instances, behind target groups

reconcile_records = asg._reconcile_instances


def launch(group):
    used = group["LaunchTemplate"]
    answer = ec2._ACTION_MAP["RunInstances"]({
        "LaunchTemplate.LaunchTemplateId": [used["LaunchTemplateId"]], "LaunchTemplate.Version": [used["Version"]],
        "MinCount": ["1"], "MaxCount": ["1"], "SubnetId": [group["VPCZoneIdentifier"].split(",")[0]]})
    started = re.search("<instanceId>(i-[0-9a-f]+)", text(answer))
    if not started:
        print("no instance:", text(answer), file=sys.stderr, flush=True)
    return started and started.group(1)


def end(group, instance):
    """Takes an instance out of its target groups at once, and ends it when requests in flight had their time."""
    delay = 0
    for arn in group.get("TargetGroupARNs", []):
        alb._targets[arn] = [t for t in alb._targets.get(arn, []) if t["Id"] != instance]
        attributes = {a["Key"]: a["Value"] for a in alb._tg_attrs.get(arn, [])}
        delay = max(delay, int(attributes.get("deregistration_delay.timeout_seconds", 0)))
    if ec2._instances.get(instance):
        container = ec2._vm_get_container(ec2._instances[instance])
        threading.Timer(delay, lambda: container and container.remove(force=True, v=True)).start()
        ec2._instances[instance].pop("VmManager", None)  # the timer's to end
        ec2._ACTION_MAP["TerminateInstances"]({"InstanceId.1": [instance]})


def reconcile(group):
    before = {i["InstanceId"] for i in group["Instances"]}
    reconcile_records(group)
    after = {i["InstanceId"] for i in group["Instances"]}
    for instance in before - after:
        end(group, instance)
    for record in group["Instances"]:
        if record["InstanceId"] not in before:
            record["InstanceId"] = launch(group) or record["InstanceId"]


asg._reconcile_instances = reconcile


def create_group(original):
    def create(p):
        answer = original(p)
        group = asg._asgs.get(asg._p(p, "AutoScalingGroupName"))
        if group is not None:
            group["TargetGroupARNs"] = asg._parse_member_list(p, "TargetGroupARNs")
            for arn in group["TargetGroupARNs"]:
                alb._targets.setdefault(arn, []).extend({"Id": i["InstanceId"]} for i in group["Instances"])
        return answer

    return create


def describe_groups(original):
    def describe(p):
        answer = original(p)
        xml = text(answer)
        for name, group in asg._asgs.items():
            arns = "".join(f"<member>{arn}</member>" for arn in group.get("TargetGroupARNs", []))
            begin = f"<AutoScalingGroupName>{name}</AutoScalingGroupName>"
            xml = xml.replace(f"{begin}<AutoScalingGroupARN>", f"{begin}<TargetGroupARNs>{arns}</TargetGroupARNs><AutoScalingGroupARN>")
        return answer[0], answer[1], xml.encode()

    return describe


def delete_group(original):
    def delete(p):
        group = asg._asgs.get(asg._p(p, "AutoScalingGroupName"))
        for record in (group or {}).get("Instances", []):
            end(group, record["InstanceId"])
        return original(p)

    return delete


replace(asg, "CreateAutoScalingGroup", create_group)
replace(asg, "DescribeAutoScalingGroups", describe_groups)
replace(asg, "DeleteAutoScalingGroup", delete_group)

# --- Target health: what a target answers now


def answers(address, port, path, codes):
    connection = http.client.HTTPConnection(address, port, timeout=CHECK_SECONDS)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except OSError:
        return False
    finally:
        connection.close()
    low, _, high = codes.partition("-")
    return int(low) <= status <= int(high or low)


def describe_health(original):
    def describe(p):
        arn = alb._p(p, "TargetGroupArn")
        group, members = alb._tgs.get(arn), ""
        if group is None:
            return original(p)
        for target in alb._targets.get(arn, []):
            address = (ec2._instances.get(target["Id"]) or {}).get("PrivateIpAddress")
            healthy = address and answers(address, group["Port"], group["HealthCheckPath"], group["Matcher"]["HttpCode"])
            members += (f"<member><Target><Id>{target['Id']}</Id><Port>{group['Port']}</Port></Target>"
                        f"<TargetHealth><State>{'healthy' if healthy else 'unhealthy'}</State></TargetHealth></member>")
        return alb._xml(200, "DescribeTargetHealth", f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>")

    return describe


replace(alb, "DescribeTargetHealth", describe_health)


def end_with_parent():
    """The test holds the other end of our standard input, and closes it however it ends."""
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
from ministack.app import main  # noqa: E402, reads sys.argv and the environment

main()
