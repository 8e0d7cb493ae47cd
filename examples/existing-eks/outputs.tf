output "image" {
  description = "The image by digest."
  value       = ecr_image.web.uri
}

output "cluster" {
  description = "What our programs and examples take: the shape of our own module's output."
  value = {
    name     = data.aws_eks_cluster.this.name
    region   = split(":", data.aws_eks_cluster.this.arn)[3]
    account  = split(":", data.aws_eks_cluster.this.arn)[4]
    endpoint = data.aws_eks_cluster.this.endpoint
    ca       = data.aws_eks_cluster.this.certificate_authority[0].data
    arn      = data.aws_eks_cluster.this.arn
  }
}
