/** The real names that the clients of these tests ask for. All of them lead to the verifier. */
export const AWS_HOSTS = [
  's3.us-east-1.amazonaws.com',
  's3.eu-central-1.amazonaws.com',
  's3.amazonaws.com',
  'photos.s3.amazonaws.com',
  'photos.s3.us-east-1.amazonaws.com',
  'photos.s3.eu-central-1.amazonaws.com',
  'photos.s3.dualstack.us-east-1.amazonaws.com',
  'dynamodb.us-east-1.amazonaws.com',
  'dynamodb.eu-central-1.amazonaws.com',
  'sqs.us-east-1.amazonaws.com',
  'us-east-1.queue.amazonaws.com',
  'sts.us-east-1.amazonaws.com',
  'sts.amazonaws.com',
  'lambda.us-east-1.amazonaws.com',
  'kms.us-east-1.amazonaws.com',
  'abc123.execute-api.us-east-1.amazonaws.com',
] as const;

/** Where hosts lead that are not known here by their name. */
export const SCOPES: Readonly<Record<string, readonly [string, string]>> = {
  'us-east-1.queue.amazonaws.com': ['sqs', 'us-east-1'],
};
