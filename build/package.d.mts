export interface MadePackage {
  readonly identity: string;
  readonly files: readonly string[];
  readonly bytes: number;
  readonly zipBytes: number;
}

export function makePackage(folder: string, zipFile: string): Promise<MadePackage>;
