"""MiniStack, keeping what it is told: run instead of the command `ministack`.

MiniStack 1.5.33 takes these attributes and does not give them back, so that a plan after an apply would set them again. Nothing
else is changed here: what it refuses, it refuses.
"""

import re

import ministack.services.ec2 as ec2
import ministack.services.eks as eks

CLUSTER = ("upgradePolicy", "computeConfig", "storageConfig", "zonalShiftConfig")
NODE_GROUP = ("launchTemplate", "updateConfig", "nodeRepairConfig")

create_cluster, create_nodegroup = eks._create_cluster, eks._create_nodegroup
create_vpc_endpoint, vpc_endpoint_fields = ec2._create_vpc_endpoint, ec2._vpce_fields_xml


def keep_cluster(body, creator_arn=None):
    answer = create_cluster(body, creator_arn)
    cluster = eks._clusters.get(body.get("name"))
    if cluster is not None:
        cluster.update({name: body[name] for name in CLUSTER if body.get(name)})
        balancing = body.get("kubernetesNetworkConfig", {}).get("elasticLoadBalancing")
        if balancing:
            cluster["kubernetesNetworkConfig"]["elasticLoadBalancing"] = balancing
    return answer


def keep_nodegroup(cluster_name, body):
    answer = create_nodegroup(cluster_name, body)
    group = eks._nodegroups.get(f"{cluster_name}/{body.get('nodegroupName')}")
    if group is not None:
        group.update({name: body[name] for name in NODE_GROUP if body.get(name)})
        if body.get("launchTemplate"):
            group.pop("diskSize", None)  # the template's business
    return answer


def keep_vpc_endpoint(parameters):
    answer = create_vpc_endpoint(parameters)
    text = answer[2].decode() if isinstance(answer[2], bytes) else answer[2]
    made = re.search(r"<vpcEndpointId>(vpce-[0-9a-fA-F]+)<", text)
    if made:
        ec2._vpc_endpoints[made.group(1)].update(
            PrivateDns=ec2._p(parameters, "PrivateDnsEnabled") or "false",
            Groups=ec2._parse_member_list(parameters, "SecurityGroupId"),
            Policy=ec2._p(parameters, "PolicyDocument"),
        )
    return answer


def kept_vpc_endpoint(endpoint, tag="item"):
    groups = "".join(f"<item><groupId>{group}</groupId></item>" for group in endpoint.get("Groups", []))
    kept = f"<privateDnsEnabled>{endpoint.get('PrivateDns', 'false')}</privateDnsEnabled><groupSet>{groups}</groupSet>"
    if endpoint.get("Policy"):
        kept += f"<policyDocument>{ec2._esc(endpoint['Policy'])}</policyDocument>"
    return vpc_endpoint_fields(endpoint, tag).replace("<subnetIdSet>", kept + "<subnetIdSet>")


eks._create_cluster, eks._create_nodegroup = keep_cluster, keep_nodegroup
ec2._ACTION_MAP["CreateVpcEndpoint"], ec2._vpce_fields_xml = keep_vpc_endpoint, kept_vpc_endpoint

if __name__ == "__main__":
    from ministack.app import main

    main()
