import type { HeaderList } from '../message/header-list.ts';
import { decodeComponent, parameterName } from '../message/query.ts';
import { s3Actions } from './s3-action.ts';

/** A request to AWS, as far as it says which operation it asks for. */
export interface AwsRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly headers: Pick<HeaderList, 'has' | 'get' | 'getAll'>;
  /** Undefined: there is no body. `form` is its text where it is a form that was read. */
  readonly body: { readonly form: string | undefined } | undefined;
}

/** Signing names of services that take `Action=` (AWS query protocol). The last two take X-Amz-Target besides. */
const QUERY_SERVICES: ReadonlySet<string> = new Set([
  ...[
    'autoscaling',
    'cloudformation',
    'ec2',
    'elasticache',
    'elasticbeanstalk',
    'elasticloadbalancing',
    'iam',
    'importexport',
    'neptune',
    'rds',
  ],
  ...['redshift', 'ses', 'sns', 'sts', 'monitoring', 'sqs'],
]);
const ALSO_TARGET: ReadonlySet<string> = new Set(['monitoring', 'sqs']);
const OPERATION = /^[A-Za-z][A-Za-z0-9]{0,127}$/;
const AMZ_JSON = /^application\/x-amz-json-1\.[01](?:\s*;|$)/i;

/**
 * What a request asks of `service` (its signing name): `dynamodb:GetItem`; of S3 everything that it needs, as an upload with an ACL needs two.
 * Undefined where the request does not say it beyond doubt, and for services whose operations are paths.
 */
export function requestActions(service: string, request: AwsRequest): readonly string[] | undefined {
  if (service === 's3') return s3Actions(request);
  const operation = QUERY_SERVICES.has(service) ? ofQueryService(service, request) : targetOperation(request);
  return operation === undefined ? undefined : [`${service}:${operation}`];
}

function ofQueryService(service: string, request: AwsRequest): string | undefined {
  if (!request.headers.has('x-amz-target')) return namedAction(request);
  return ALSO_TARGET.has(service) ? targetOperation(request) : undefined;
}

/** `X-Amz-Target: DynamoDB_20120810.GetItem` (AWS JSON protocols): always POST to the root, and nothing else that could name one. */
function targetOperation({ method, path, query, headers }: AwsRequest): string | undefined {
  const targets = headers.getAll('x-amz-target');
  if (targets.length !== 1 || method !== 'POST' || path !== '/' || headers.has('smithy-protocol')) return undefined;
  if (!AMZ_JSON.test(headers.get('content-type') ?? '') || actionsIn(query).length > 0) return undefined;
  const [, operation] = /^[\w.-]{1,128}\.([^.]+)$/.exec(targets[0] ?? '') ?? [];
  return operationName(operation);
}

/** `Action=` of the query or of the form, once. A body that was not read may hold another. */
function namedAction({ method, query, headers, body }: AwsRequest): string | undefined {
  if (headers.has('smithy-protocol') || headers.has('content-encoding')) return undefined;
  if (body !== undefined && (body.form === undefined || method !== 'POST')) return undefined;
  const found = [...actionsIn(query), ...actionsIn(body?.form)];
  return found.length === 1 ? operationName(found[0]) : undefined;
}

/** Values of `Action` in a form, also where a lenient reader would find one. */
function actionsIn(form: string | undefined): string[] {
  if (form === undefined || !/action|%/i.test(form)) return [];
  return form
    .split(/[&;]/)
    .filter((piece) => parameterName(piece).trim().toLowerCase() === 'action')
    .map((piece) => decodeComponent(piece.slice(piece.indexOf('=') + 1)));
}

function operationName(text: string | undefined): string | undefined {
  return text !== undefined && OPERATION.test(text) ? text : undefined;
}
