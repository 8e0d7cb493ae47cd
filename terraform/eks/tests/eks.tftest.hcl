mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mocked" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
  mock_resource "aws_eks_cluster" {
    defaults = {
      arn                   = "arn:aws:eks:eu-west-1:111122223333:cluster/shop"
      endpoint              = "https://0123.gr7.eu-west-1.eks.amazonaws.com"
      certificate_authority = [{ data = "bW9jaw==" }]
    }
  }
}

variables {
  name       = "shop"
  subnet_ids = ["subnet-1", "subnet-2"]
  access = {
    admin    = { principal_arn = "arn:aws:iam::111122223333:role/admin", policy = "ClusterAdmin" }
    deployer = { principal_arn = "arn:aws:iam::111122223333:role/deploy", policy = "Edit", namespaces = ["shop"], kubernetes_groups = ["deployers"] }
    watcher  = { principal_arn = "arn:aws:iam::111122223333:role/watch", kubernetes_groups = ["watchers"] }
  }
}

run "by_default" {
  # Access entries are the only way in.
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API"
    error_message = "the aws-auth map must not count"
  }
  assert {
    condition     = !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "who creates the cluster must not be administrator in silence"
  }
  assert {
    condition = { for name, a in aws_eks_access_policy_association.this : name => [a.policy_arn, a.access_scope[0].type, a.principal_arn] } == {
      admin    = ["arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", "cluster", "arn:aws:iam::111122223333:role/admin"]
      deployer = ["arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy", "namespace", "arn:aws:iam::111122223333:role/deploy"]
    }
    error_message = "an entry without namespaces holds in the whole cluster, one with them only there, one without a policy has none"
  }
  assert {
    condition     = aws_eks_access_policy_association.this["deployer"].access_scope[0].namespaces == toset(["shop"])
    error_message = "the deployer may work in shop and nowhere else"
  }
  assert {
    condition     = [for name in ["deployer", "watcher"] : join(",", aws_eks_access_entry.this[name].kubernetes_groups)] == ["deployers", "watchers"]
    error_message = "groups must reach the entries"
  }

  # The internet does not reach the api server.
  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "the endpoint must be private"
  }

  # Logs have an end and support is standard.
  assert {
    condition     = aws_cloudwatch_log_group.cluster.name == "/aws/eks/shop/cluster" && aws_cloudwatch_log_group.cluster.retention_in_days == 90
    error_message = "the group must be the one that EKS writes to"
  }
  assert {
    condition     = aws_eks_cluster.this.upgrade_policy[0].support_type == "STANDARD" && !aws_eks_cluster.this.bootstrap_self_managed_addons
    error_message = "extended support is billed without being asked for, unless it is refused"
  }
  assert {
    condition     = length(aws_eks_cluster.this.encryption_config) == 0
    error_message = "what cannot be removed must be asked for"
  }

  # Nodes pull and do not push and the cni has its own role.
  assert {
    condition     = keys(aws_iam_role_policy_attachment.node) == ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy"]
    error_message = "nodes join and pull"
  }
  assert {
    condition     = aws_iam_role_policy_attachment.cni[*].policy_arn == ["arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"]
    error_message = "the CNI's rights are its own"
  }
  assert {
    condition     = [for a in aws_eks_pod_identity_association.cni : [a.namespace, a.service_account]] == [["kube-system", "aws-node"]]
    error_message = "the CNI gets its rights by Pod Identity"
  }
  assert {
    condition     = keys(aws_eks_addon.before_nodes) == ["eks-pod-identity-agent", "kube-proxy", "vpc-cni"] && aws_eks_addon.coredns[*].addon_name == ["coredns"]
    error_message = "unexpected add-ons"
  }

  # A node is encrypted and keeps its credentials to itself.
  assert {
    condition     = [for t in aws_launch_template.node : [t.metadata_options[0].http_tokens, t.metadata_options[0].http_put_response_hop_limit]] == [["required", 1]]
    error_message = "IMDSv2 with one hop keeps pods away from the node's role"
  }
  assert {
    condition     = [for t in aws_launch_template.node : [t.block_device_mappings[0].device_name, t.block_device_mappings[0].ebs[0].volume_type, tobool(t.block_device_mappings[0].ebs[0].encrypted)]] == [["/dev/xvda", "gp3", true]]
    error_message = "the disk is gp3 and encrypted"
  }
  assert {
    condition     = aws_eks_node_group.this["default"].ami_type == "AL2023_x86_64_STANDARD" && aws_eks_node_group.this["default"].node_repair_config[0].enabled
    error_message = "unexpected default group"
  }
  assert {
    condition     = aws_eks_node_group.this["default"].update_config[0].max_unavailable_percentage == 33
    error_message = "an update takes a third of the nodes at a time"
  }
}

run "arm_and_bottlerocket" {
  variables {
    node_groups = {
      arm  = { architecture = "arm64", min_size = 0, labels = { team = "shop" } }
      rock = { os = "bottlerocket", instance_types = ["m7i.large"], taints = { dedicated = { value = "shop", effect = "NO_SCHEDULE" } } }
      both = { os = "bottlerocket", architecture = "arm64", instance_types = ["m7g.large", "c7gn.large"], capacity_type = "SPOT" }
    }
  }

  assert {
    condition = { for name, group in aws_eks_node_group.this : name => [group.ami_type, join(",", group.instance_types), group.capacity_type] } == {
      arm  = ["AL2023_ARM_64_STANDARD", "t4g.medium", "ON_DEMAND"]
      rock = ["BOTTLEROCKET_x86_64", "m7i.large", "ON_DEMAND"]
      both = ["BOTTLEROCKET_ARM_64", "m7g.large,c7gn.large", "SPOT"]
    }
    error_message = "image and instance types must be of one architecture"
  }
  assert {
    condition     = aws_launch_template.node["rock"].block_device_mappings[0].device_name == "/dev/xvdb"
    error_message = "Bottlerocket keeps images on its second disk"
  }
  assert {
    condition     = aws_eks_node_group.this["arm"].scaling_config[0].min_size == 0 && aws_eks_node_group.this["arm"].scaling_config[0].desired_size == 1 && aws_eks_node_group.this["arm"].labels == tomap({ team = "shop" })
    error_message = "a group that may be empty starts with one node: the first pods need one"
  }
  assert {
    condition     = [for taint in aws_eks_node_group.this["rock"].taint : [taint.key, taint.value, taint.effect]] == [["dedicated", "shop", "NO_SCHEDULE"]]
    error_message = "the taint was not set"
  }
}

run "auto_mode_takes_all_of_it_over" {
  variables {
    auto_mode = {}
  }

  assert {
    condition = (aws_eks_cluster.this.compute_config[0].enabled
      && aws_eks_cluster.this.storage_config[0].block_storage[0].enabled
      && aws_eks_cluster.this.kubernetes_network_config[0].elastic_load_balancing[0].enabled
    && !aws_eks_cluster.this.bootstrap_self_managed_addons)
    error_message = "compute, storage and load balancing go together"
  }
  assert {
    condition     = length(aws_eks_node_group.this) + length(aws_launch_template.node) + length(aws_eks_addon.before_nodes) + length(aws_eks_addon.coredns) + length(aws_iam_role.cni) == 0
    error_message = "Auto Mode has its own nodes and add-ons"
  }
  assert {
    condition     = keys(aws_iam_role_policy_attachment.cluster) == ["AmazonEKSBlockStoragePolicy", "AmazonEKSClusterPolicy", "AmazonEKSComputePolicy", "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy"]
    error_message = "the cluster's role does what its own add-ons did"
  }
  assert {
    condition     = keys(aws_iam_role_policy_attachment.node) == ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodeMinimalPolicy"]
    error_message = "the nodes' role is the small one"
  }
  assert {
    condition     = contains(jsondecode(aws_iam_role.cluster.assume_role_policy).Statement[0].Action, "sts:TagSession")
    error_message = "Auto Mode tags its sessions"
  }
  assert {
    condition     = yamldecode(output.arm_node_pool).spec.template.spec.requirements[0] == { key = "kubernetes.io/arch", operator = "In", values = ["arm64"] }
    error_message = "the built-in pools are amd64 only"
  }
}

run "the_output_is_all_a_client_needs" {
  variables {
    public_access_cidrs = ["203.0.113.7/32"]
    secrets_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/0f3c"
  }

  assert {
    condition = output.cluster == {
      name     = "shop"
      region   = "eu-west-1"
      account  = "111122223333"
      endpoint = "https://0123.gr7.eu-west-1.eks.amazonaws.com"
      ca       = "bW9jaw=="
      arn      = "arn:aws:eks:eu-west-1:111122223333:cluster/shop"
    }
    error_message = "unexpected output: ${jsonencode(output.cluster)}"
  }
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["203.0.113.7/32"])
    error_message = "only the addresses that were named may come from outside"
  }
  assert {
    condition     = [for e in aws_eks_cluster.this.encryption_config : [join(",", e.resources), e.provider[0].key_arn]] == [["secrets", "arn:aws:kms:eu-west-1:111122223333:key/0f3c"]]
    error_message = "secrets must be encrypted with the key that was given"
  }
}
