/**
 * The AWS SDK for JavaScript v3 as an application uses it. It takes no proxy from the environment: its handler is given an agent.
 * Prints one JSON object; arguments choose what is done.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

import { DynamoDBClient, GetItemCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { HttpsProxyAgent } from 'https-proxy-agent';

const Bucket = 'photos';
const KEYS = ['plain', 'a b', 'a+b', 'a%2Fb', 'x//y', 'ü/grün ~_-.', '日本語'];

const settings = {
  maxAttempts: 1,
  requestHandler: { httpsAgent: new HttpsProxyAgent(process.env.HTTPS_PROXY, { keepAlive: true }) },
};

/** @param {Buffer | Uint8Array} content */
const digest = (content) => createHash('sha256').update(content).digest('hex');

/** @param {S3Client} s3 @param {string} Key */
async function read(s3, Key) {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return Buffer.from(await Body.transformToByteArray());
}

async function keys() {
  const s3 = new S3Client(settings);
  for (const Key of KEYS) {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    if ((await read(s3, Key)).toString() !== Key) return { same: false };
  }
  const listed = await s3.send(new ListObjectsV2Command({ Bucket }));
  const names = new Set(listed.Contents.map(({ Key }) => Key));
  return { same: KEYS.every((Key) => names.has(Key)) };
}

/** A body of unknown hash: STREAMING-UNSIGNED-PAYLOAD-TRAILER, with a checksum behind it. */
async function stream() {
  const s3 = new S3Client(settings);
  const content = Buffer.alloc(300_000, 'stream');
  const Body = Readable.from([content.subarray(0, 100_000), content.subarray(100_000)]);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'streamed', Body, ContentLength: content.length }));
  return { same: digest(await read(s3, 'streamed')) === digest(content) };
}

async function multipart() {
  const s3 = new S3Client(settings);
  const content = Buffer.alloc(11 * 1024 * 1024, 'multipart');
  await new Upload({ client: s3, params: { Bucket, Key: 'big js', Body: content }, partSize: 5 * 1024 * 1024, queueSize: 2 }).done();
  return { same: digest(await read(s3, 'big js')) === digest(content) };
}

async function presign() {
  const s3 = new S3Client(settings);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'shared js', Body: 'shared' }));
  return { get: await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'shared js' }), { expiresIn: 600 }) };
}

async function services() {
  const dynamodb = new DynamoDBClient(settings);
  const { TableNames } = await dynamodb.send(new ListTablesCommand({}));
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName: 'orders', Key: { id: { S: '1' } } }));
  const { Arn } = await new STSClient(settings).send(new GetCallerIdentityCommand({}));
  return { dynamodb: [TableNames, Item.name.S], sts: Arn };
}

const ACTIONS = { keys, stream, multipart, presign, services };
const done = {};
for (const name of process.argv.slice(2)) done[name] = await ACTIONS[name]();
console.log(JSON.stringify(done));
