// What must hold of everything that infra/ makes: no keys, least privilege, nothing public by
// mistake. On the resources as the compiler predicts them, for every option off and on.
import { describe, expect, test } from "vitest";
import { at, snapshot } from "../../support/infra-snapshot.ts";

const scenarios = { default: snapshot("default"), full: snapshot("full") };
const each = Object.entries(scenarios);

const ROLES = {
  "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
  "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
  "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
  "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader",
} as const;
const OPERATOR = "33333333-3333-3333-3333-333333333333";

describe.each(each)("%s", (_name, made) => {
  test("reads no key and puts none out", () => {
    expect(made.text).not.toMatch(/list(?:Keys|ConnectionStrings|AccountSas|Secrets)\b/i);
    expect(made.text).not.toMatch(/AccountKey=|SharedAccessSignature/);
    const secret = /key|secret|password|connection_?string/i;
    expect(Object.keys(made.outputs).filter((name) => secret.test(name))).toEqual([]);
  });

  test("has local auth off everywhere", () => {
    const storage = made.one("storageAccounts").properties;
    expect(storage).toMatchObject({
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      minimumTlsVersion: "TLS1_2",
      supportsHttpsTrafficOnly: true,
    });
    expect(made.one("databaseAccounts").properties).toMatchObject({
      disableLocalAuth: true,
      disableKeyBasedMetadataWriteAccess: true,
      minimalTlsVersion: "Tls12",
    });
    expect(made.one("Microsoft.Insights/components").properties).toMatchObject({
      DisableLocalAuth: true,
    });
    const policies = made.of("basicPublishingCredentialsPolicies");
    expect(policies.map(({ properties }) => properties["allow"])).toEqual([false, false]);
  });

  test("keeps jobs in one region at Strong consistency", () => {
    const account = made.one("databaseAccounts").properties;
    expect(account).toMatchObject({
      consistencyPolicy: { defaultConsistencyLevel: "Strong" },
      enableMultipleWriteLocations: false,
    });
    expect(account["locations"]).toHaveLength(1);
  });

  test("serves over https alone, and lets no origin in that was not named", () => {
    const site = made.one("Microsoft.Web/sites").properties;
    expect(site["httpsOnly"]).toBe(true);
    expect(site["siteConfig"]).toMatchObject({ minTlsVersion: "1.2", ftpsState: "Disabled" });
    const origins = at(site, "siteConfig", "cors", "allowedOrigins") as readonly string[];
    expect(origins).not.toContain("*");
  });

  test("assigns known roles, each on a resource and none on a group or subscription", () => {
    const assignments = made.of("Microsoft.Authorization/roleAssignments");
    expect(assignments.length).toBeGreaterThan(3);
    for (const { properties, scope, id } of assignments) {
      const role = String(properties["roleDefinitionId"]).split("/").at(-1) ?? "";
      expect(Object.keys(ROLES)).toContain(role);
      expect(`${scope ?? id ?? ""}`).toMatch(/providers\/Microsoft\.(?!Authorization)\w+\/\w+\//);
    }
  });

  test("lets the app touch its two queues and no other", () => {
    const contributor = "974c5e8b-45b9-4653-ba55-5f855dd0fb88";
    const scopes = made
      .of("Microsoft.Authorization/roleAssignments")
      .filter(({ properties }) => String(properties["roleDefinitionId"]).endsWith(contributor))
      .filter(({ properties }) => properties["principalId"] !== OPERATOR)
      .map(({ scope, id }) => /queues\/([\w-]+)/.exec(`${scope ?? id ?? ""}`)?.[1]);
    expect(scopes).toEqual(["holdfast-work", "holdfast-work-poison"]);
  });

  test("lets the app create and read in the journal, and delete nowhere", () => {
    const items = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items";
    const query = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery";
    const metadata = "Microsoft.DocumentDB/databaseAccounts/readMetadata";
    const actions = new Map(
      made
        .of("sqlRoleDefinitions")
        .map(({ id, properties }) => [
          id?.split("/").at(-1),
          at(properties, "permissions", 0, "dataActions"),
        ]),
    );
    const may = made
      .of("sqlRoleAssignments")
      .filter(({ properties }) => properties["principalId"] !== OPERATOR)
      .map(({ properties }) => {
        const scope = String(properties["scope"]).split("/").at(-1);
        return [scope, actions.get(String(properties["roleDefinitionId"]).split("/").at(-1))];
      });
    const create = [`${items}/create`, `${items}/read`];
    const replace = [...create, `${items}/replace`, query];
    const account = made.one("databaseAccounts").name;
    expect(may).toEqual([
      [account, [metadata]],
      ["journal", create],
      ["definitions", create],
      ["jobs", replace],
      ["stats", replace],
    ]);
  });

  test("tags what can be tagged, and uses no preview of an API", () => {
    const untaggable = /roleAssignments|sqlRole|Services|queues|packages|config|Policies|Groups$/;
    const nested = /blobServices\/containers|virtualNetworkLinks/;
    const untagged = made.resources.filter(
      ({ type, tags }) => !untaggable.test(type) && !nested.test(type) && tags === undefined,
    );
    expect(untagged.map(({ type }) => type)).toEqual([]);
    for (const { type, apiVersion } of made.resources) {
      expect([type, apiVersion]).toEqual([type, expect.stringMatching(/^\d{4}-\d\d-\d\d$/)]);
    }
  });

  test("says where the app is, for azd and for the smoke test", () => {
    expect(Object.keys(made.outputs)).toEqual(
      expect.arrayContaining(["AZURE_RESOURCE_GROUP", "HOLDFAST_URL", "SERVICE_HOLDFAST_NAME"]),
    );
    expect(made.one("Microsoft.Web/sites").tags).toMatchObject({ "azd-service-name": "holdfast" });
  });
});

describe("options", () => {
  const { default: plain, full } = scenarios;

  test("Cosmos DB is charged by the request, or by what was reserved", () => {
    expect(plain.one("databaseAccounts").properties["capabilities"]).toEqual([
      { name: "EnableServerless" },
    ]);
    expect(plain.one("sqlDatabases").properties["options"]).toEqual({});
    expect(full.one("databaseAccounts").properties["capabilities"]).toEqual([]);
    expect(full.one("sqlDatabases").properties["options"]).toEqual({
      autoscaleSettings: { maxThroughput: 10_000 },
    });
  });

  test("with a virtual network storage and Cosmos DB have no public address", () => {
    for (const type of ["storageAccounts", "databaseAccounts"]) {
      expect(plain.one(type).properties["publicNetworkAccess"]).toBe("Enabled");
      expect(full.one(type).properties["publicNetworkAccess"]).toBe("Disabled");
    }
    expect(plain.of("privateEndpoints")).toEqual([]);
    const groups = full
      .of("privateEndpoints")
      .map(({ properties }) =>
        at(properties, "privateLinkServiceConnections", 0, "properties", "groupIds", 0),
      );
    expect(groups).toEqual(["blob", "queue", "Sql"]);
    const subnet = full.one("Microsoft.Web/sites").properties["virtualNetworkSubnetId"];
    expect(subnet).toMatch(/subnets\/app$/);
    const delegation = at(full.one("virtualNetworks").properties, "subnets", 0, "properties");
    expect(at(delegation, "delegations", 0, "properties", "serviceName")).toBe(
      "Microsoft.App/environments",
    );
  });

  test("with sign-in whoever is not signed in is refused, but for the health routes", () => {
    const [auth] = full.of("sites/config").filter(({ name }) => name?.endsWith("/authsettingsV2"));
    expect(auth?.properties["globalValidation"]).toEqual({
      requireAuthentication: true,
      unauthenticatedClientAction: "Return401",
      excludedPaths: ["/api/v1/health/live", "/api/v1/health/ready"],
    });
    const [settings] = full.of("sites/config").filter(({ name }) => name?.endsWith("appsettings"));
    expect(settings?.properties).toMatchObject({ HOLDFAST_AUTH: "platform" });
    expect(plain.text).not.toContain("authsettingsV2");
    expect(plain.text).not.toContain("HOLDFAST_AUTH");
  });

  test("operators may do what the app may not, and nobody is one by default", () => {
    expect(plain.text).not.toContain(OPERATOR);
    const contributor = "00000000-0000-0000-0000-000000000002";
    const builtIn = full
      .of("sqlRoleAssignments")
      .filter(({ properties }) => String(properties["roleDefinitionId"]).endsWith(contributor));
    expect(builtIn.map(({ properties }) => properties["principalId"])).toEqual([OPERATOR]);
  });
});
