// Cosmos DB: one region, Strong consistency, no keys. A 202 is never followed by a 404, and no
// second region ever writes. Containers are made here; the app may not. What the app may do is
// said per container: in the journal it creates and reads, for nothing there is ever replaced.
param name string
param location string
param tags object
@allowed(['serverless', 'autoscale'])
param mode string
param maxThroughput int
@description('Reached through a private endpoint only.')
param isPrivate bool
param appPrincipalId string
param operatorPrincipalIds string[]

@description('As HOLDFAST_DATABASE.')
var databaseName = 'holdfast'
@description('On, without a default: items say themselves when they expire.')
var expiryPerItem = -1
@description('Nothing is indexed. Expiry needs an indexing mode other than none.')
var noIndex = {
  indexingMode: 'consistent'
  automatic: true
  includedPaths: []
  excludedPaths: [{ path: '/*' }]
}
@description('What lists and the sweeper use of a job, and nothing else of it.')
var jobIndex = {
  indexingMode: 'consistent'
  automatic: true
  includedPaths: [
    { path: '/job_id/?' }
    { path: '/status/?' }
    { path: '/workflow_id/?' }
    { path: '/workflow_version/?' }
    { path: '/workflow_digest/?' }
    { path: '/correlation_id/?' }
    { path: '/idempotency_key/?' }
    { path: '/submitted_by/?' }
    { path: '/authenticated_as/?' }
    { path: '/created_at/?' }
    { path: '/wake_at/?' }
    { path: '/tags/[]/?' }
  ]
  excludedPaths: [{ path: '/*' }]
  compositeIndexes: [
    [
      { path: '/created_at', order: 'descending' }
      { path: '/job_id', order: 'descending' }
    ]
    [
      { path: '/status', order: 'ascending' }
      { path: '/created_at', order: 'descending' }
      { path: '/job_id', order: 'descending' }
    ]
    [
      { path: '/workflow_id', order: 'ascending' }
      { path: '/created_at', order: 'descending' }
      { path: '/job_id', order: 'descending' }
    ]
  ]
}
@description('As in src/azure/names.ts; a test compares both.')
var containers = [
  { id: 'journal', key: '/job_id', index: noIndex, ttl: expiryPerItem }
  { id: 'jobs', key: '/job_id', index: jobIndex, ttl: expiryPerItem }
  { id: 'stats', key: '/id', index: noIndex, ttl: null }
  { id: 'definitions', key: '/workflow_id', index: noIndex, ttl: null }
]

var items = 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items'
@description('Which container takes which writes: create alone, or create, replace and query.')
var createsOnly = ['journal', 'definitions']
var replaces = ['jobs', 'stats']

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' = {
  name: name
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    consistencyPolicy: { defaultConsistencyLevel: 'Strong' }
    locations: [{ locationName: location, failoverPriority: 0, isZoneRedundant: false }]
    enableMultipleWriteLocations: false
    enableAutomaticFailover: false
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    capabilities: mode == 'serverless' ? [{ name: 'EnableServerless' }] : []
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: { tier: 'Continuous7Days' }
    }
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2024-11-15' = {
  parent: account
  name: databaseName
  tags: tags
  properties: {
    resource: { id: databaseName }
    options: mode == 'autoscale' ? { autoscaleSettings: { maxThroughput: maxThroughput } } : {}
  }
}

resource container 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-11-15' = [
  for it in containers: {
    parent: database
    name: it.id
    tags: tags
    properties: {
      resource: union(
        {
          id: it.id
          partitionKey: { kind: 'Hash', paths: [it.key], version: 2 }
          indexingPolicy: it.index
        },
        it.ttl == null ? {} : { defaultTtl: it.ttl }
      )
    }
  }
]

@description('The SDK reads what account and containers look like before it reads an item.')
resource metadataRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2024-11-15' = {
  parent: account
  name: guid(account.id, 'holdfast-metadata')
  properties: {
    roleName: 'Holdfast: read metadata'
    type: 'CustomRole'
    assignableScopes: [account.id]
    permissions: [{ dataActions: ['Microsoft.DocumentDB/databaseAccounts/readMetadata'] }]
  }
}

resource createRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2024-11-15' = {
  parent: account
  name: guid(account.id, 'holdfast-create')
  properties: {
    roleName: 'Holdfast: create and read items'
    type: 'CustomRole'
    assignableScopes: [account.id]
    permissions: [{ dataActions: ['${items}/create', '${items}/read'] }]
  }
}

resource replaceRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2024-11-15' = {
  parent: account
  name: guid(account.id, 'holdfast-replace')
  properties: {
    roleName: 'Holdfast: create, read, replace and query items'
    type: 'CustomRole'
    assignableScopes: [account.id]
    permissions: [
      {
        dataActions: [
          '${items}/create'
          '${items}/read'
          '${items}/replace'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery'
        ]
      }
    ]
  }
}

resource appReadsMetadata 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = {
  parent: account
  name: guid(account.id, appPrincipalId, 'metadata')
  properties: {
    roleDefinitionId: metadataRole.id
    principalId: appPrincipalId
    scope: account.id
  }
}

resource appCreates 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [
  for id in createsOnly: {
    parent: account
    name: guid(account.id, appPrincipalId, id)
    properties: {
      roleDefinitionId: createRole.id
      principalId: appPrincipalId
      scope: '${account.id}/dbs/${databaseName}/colls/${id}'
    }
    dependsOn: [container]
  }
]

resource appReplaces 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [
  for id in replaces: {
    parent: account
    name: guid(account.id, appPrincipalId, id)
    properties: {
      roleDefinitionId: replaceRole.id
      principalId: appPrincipalId
      scope: '${account.id}/dbs/${databaseName}/colls/${id}'
    }
    dependsOn: [container]
  }
]

@description('Built-in Data Contributor, for people who purge, export and mend.')
resource operators 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [
  for principalId in operatorPrincipalIds: {
    parent: account
    name: guid(account.id, principalId, 'operator')
    properties: {
      roleDefinitionId: '${account.id}/sqlRoleDefinitions/00000000-0000-0000-0000-000000000002'
      principalId: principalId
      scope: '${account.id}/dbs/${databaseName}'
    }
    dependsOn: [database]
  }
]

output id string = account.id
output endpoint string = account.properties.documentEndpoint
output databaseName string = databaseName
